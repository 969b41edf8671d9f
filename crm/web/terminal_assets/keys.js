// A row of keys for whoever has no keyboard, or one without Esc and arrows: those of the page, which the menu tells,
// and below them those that stay. On a touch screen an entry of the menu is also chosen by a tap on it.

const ARROWS = { "←": "D", "↓": "B", "↑": "A", "→": "C" };
const NAMES = { "←": "Left", "↓": "Down", "↑": "Up", "→": "Right", "⏎": "Enter", "^C": "Control C" };
const PLAIN = { Esc: "\x1b", Tab: "\t", "⏎": "\r", "^C": "\x03" };
const STAY = ["Esc", "Tab", "^C", "←", "↓", "↑", "→", "⏎"];
// Where a text is asked for, or before the menu has told.
const OTHERWISE = [..."1234567890"].map((key) => [key, key]).concat([["/", "Search"]]);
// What stands before an entry: the pointer, its key and a bracket.
const ENTRY = /^ {0,2}[»>]? *(\S)\) +(\S.*)$/;
const TAP_WITHIN = 600, TAP_MOVES = 12;

export class Keys {
  constructor(ofPage, others, terminal) {
    this.place = ofPage;
    this.terminal = terminal;
    this.known = new Map();
    for (const key of STAY) others.append(this.button(key, NAMES[key] ?? key));
    this.show([]);
    this.takeTaps(terminal.element);
  }

  // The keys of the page, each with its words.
  show(keys) {
    this.known = new Map(keys);
    const offered = keys.length ? keys : OTHERWISE;
    this.place.replaceChildren(...offered.map(([key, words]) => this.button(key, words)));
    this.place.scrollLeft = 0;
  }

  button(key, words) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = key;
    button.setAttribute("aria-label", words);
    button.title = words;
    // The terminal keeps the focus, and a phone its keyboard as it is, open or not.
    button.addEventListener("pointerdown", (event) => event.preventDefault());
    button.addEventListener("click", () => this.terminal.input(this.sent(key), true));
    return button;
  }

  sent(key) {
    if (key in ARROWS) return `\x1b${this.terminal.modes.applicationCursorKeysMode ? "O" : "["}${ARROWS[key]}`;
    return PLAIN[key] ?? key;
  }

  takeTaps(element) {
    let began = null;
    element.addEventListener("touchstart", (event) => {
      const touch = event.touches.length === 1 ? event.touches[0] : null;
      began = touch && { x: touch.clientX, y: touch.clientY, at: Date.now() };
    }, { passive: true, capture: true });
    element.addEventListener("touchend", (event) => {
      const touch = event.changedTouches[0];
      if (!began || Date.now() - began.at > TAP_WITHIN) return;
      if (Math.hypot(touch.clientX - began.x, touch.clientY - began.y) > TAP_MOVES) return;
      const key = this.keyAt(touch.clientY);
      if (key === undefined) return;
      // Else the keyboard would open over what was chosen.
      event.preventDefault();
      event.stopPropagation();
      this.terminal.input(key, true);
    }, { capture: true });
  }

  // The key of the entry at this height; text that only looks like an entry is none.
  keyAt(y) {
    const { terminal } = this;
    const box = terminal.element.querySelector(".xterm-screen").getBoundingClientRect();
    const row = Math.floor((y - box.top) / (box.height / terminal.rows));
    const buffer = terminal.buffer.active;
    const [, key, words] = ENTRY.exec(buffer.getLine(buffer.viewportY + row)?.translateToString(true) ?? "") ?? [];
    const known = this.known.get(key);
    return known !== undefined && known.startsWith(words.trim().slice(0, 12)) ? key : undefined;
  }
}
