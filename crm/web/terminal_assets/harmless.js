// What a program could make a terminal do, and none of ours needs: nothing here is answered or obeyed.

// Questions to the terminal. The answers would be typed into the menu, by each tab once.
const QUESTIONS = [
  { final: "c" }, { prefix: ">", final: "c" }, { prefix: "=", final: "c" }, { prefix: ">", final: "q" },
  { final: "n" }, { prefix: "?", final: "n" }, { final: "t" }, { final: "x" },
  { intermediates: "$", final: "p" }, { prefix: "?", intermediates: "$", final: "p" }, { prefix: "?", final: "u" },
];
// Titles, the working folder, colours and notifications.
const ORDERS = [0, 1, 2, 4, 7, 9, 10, 11, 12, 99, 104, 110, 111, 112, 777, 1337];

export function harmless(terminal) {
  for (const sequence of QUESTIONS) terminal.parser.registerCsiHandler(sequence, () => true);
  for (const number of ORDERS) terminal.parser.registerOscHandler(number, () => true);
  terminal.parser.registerDcsHandler({ intermediates: "$", final: "q" }, () => true);
  terminal.parser.registerDcsHandler({ intermediates: "+", final: "q" }, () => true);
}

// A program may write to the clipboard just after a key or a click, and never read it.
export const clipboard = {
  readText: async () => "",
  writeText: async (selection, text) => {
    if (navigator.userActivation?.isActive) await navigator.clipboard.writeText(text);
  },
};

// What is pasted is text: no key can be hidden in it.
export function pasted(text) {
  return text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g, "");
}

export function follow(event, address) {
  let url;
  try { url = new URL(address); } catch { return; }
  if (!["http:", "https:", "mailto:", "tel:"].includes(url.protocol)) return;
  if (confirm(`Open this address?\n\n${url.href}`)) open(url.href, "_blank", "noopener,noreferrer");
}
