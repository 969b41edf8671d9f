// A row of keys for whoever has no keyboard, or one without Esc and arrows.

const ARROWS = { "←": "D", "↓": "B", "↑": "A", "→": "C" };
const NAMES = {
  "←": "Left", "↓": "Down", "↑": "Up", "→": "Right", "⏎": "Enter", "/": "Search", "^C": "Control C",
};
const PLAIN = { Esc: "\x1b", Tab: "\t", "/": "/", "⏎": "\r", "^C": "\x03" };
const ROW = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "Esc", "Tab", "^C", "/", "←", "↓", "↑", "→", "⏎"];

export function keyRow(place, terminal) {
  for (const key of ROW) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = key;
    button.setAttribute("aria-label", NAMES[key] ?? key);
    if (key === "⏎") button.style.gridColumn = "span 2";
    // The terminal keeps the focus, and a phone its keyboard as it is, open or not.
    button.addEventListener("pointerdown", (event) => event.preventDefault());
    button.addEventListener("click", () => terminal.input(sent(key, terminal), true));
    place.append(button);
  }
}

function sent(key, terminal) {
  if (key in ARROWS) return `\x1b${terminal.modes.applicationCursorKeysMode ? "O" : "["}${ARROWS[key]}`;
  return PLAIN[key] ?? key;
}
