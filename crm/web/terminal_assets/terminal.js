// The terminal's page: xterm.js on one side, the menu on the other, and a thin bar for what is going on between.

import { ClipboardAddon } from "./addon-clipboard.mjs";
import { FitAddon } from "./addon-fit.mjs";
import { UnicodeGraphemesAddon } from "./addon-unicode-graphemes.mjs";
import { WebLinksAddon } from "./addon-web-links.mjs";
import { Terminal } from "./xterm.mjs";
import { Appearance, FONTS, recall, remember, theme } from "./appearance.js";
import { Connection } from "./connection.js";
import { Files } from "./files.js";
import { clipboard, follow, harmless, pasted } from "./harmless.js";
import { Keys } from "./keys.js";
import { agreeOnWidths } from "./widths.js";

const FRAME = 16384, MOST_PASTED = 2 << 20, ACKNOWLEDGED = 32768;
const SIGN_IN = new Set([4401, 4403]);
const part = (id) => document.getElementById(id);
const encoder = new TextEncoder();

export const terminal = new Terminal({
  allowProposedApi: true,
  cursorBlink: false,
  fontFamily: FONTS,
  minimumContrastRatio: 4.5,
  linkHandler: { activate: follow, allowNonHttpProtocols: true },
  scrollback: 2000,
  screenReaderMode: recall("reader") === "true",
  theme: theme(),
});
const fit = new FitAddon();
const appearance = new Appearance(terminal, fit);
const files = new Files(part("files"), (token) => connection.send({ type: "cancel", token }));
let drawn = 0, acknowledged = 0, waiting = 0;

harmless(terminal);
agreeOnWidths(terminal, new UnicodeGraphemesAddon());
for (const addon of [
  fit, new WebLinksAddon(follow), new ClipboardAddon(undefined, clipboard),
]) terminal.loadAddon(addon);
terminal.open(part("terminal"));
terminal.textarea.setAttribute("aria-label", "The CRM's menu");
const keys = new Keys(part("page-keys"), part("other-keys"), terminal);

export const connection = new Connection({
  address() {
    const room = appearance.room() ?? { cols: 80, rows: 24 };
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    return `${scheme}://${location.host}/terminal?columns=${room.cols}&lines=${room.rows}`;
  },
  output(bytes) {
    waiting += 1;
    terminal.write(bytes, () => {
      waiting -= 1;
      drawn += bytes.length;
      if (waiting === 0 || drawn - acknowledged >= ACKNOWLEDGED) {
        acknowledged = drawn;
        connection.send({ type: "ack", bytes: drawn });
      }
    });
  },
  message(message) {
    if (message.type === "screen") begin(message);
    else if (message.type === "size") inOrder(() => terminal.resize(message.columns, message.lines));
    else if (message.type === "keys") keys.show(message.keys);
    else if (message.type === "offer") files.offer(message);
    else if (message.type === "ask") files.ask(message);
    else if (message.type === "taken") { files.remove(message.token); terminal.focus(); }
  },
  state(word, why = "", code = 0) {
    if (word === "open") tell("");
    else if (word === "lost") tell(why || "Not connected. Trying again; what you type now is not sent.");
    else {
      files.clear();
      inOrder(() => {
        // Whoever comes by later sees nothing of what was shown to somebody who has signed out.
        if (SIGN_IN.has(code)) terminal.reset();
        terminal.write(`\r\n\x1b[0m${pasted(why)}\r\n`);
      });
      tell(why || "Closed.", SIGN_IN.has(code) ? "Sign in" : "Open again");
      part("again").onclick = () => {
        if (SIGN_IN.has(code)) location.reload();
        else { tell("Opening…"); connection.connect(); terminal.focus(); }
      };
    }
  },
});

// After whatever is still to be drawn.
function inOrder(action) {
  terminal.write("", action);
}

// A screen from its beginning, at the size that it was drawn for; drawn anew after each connection.
function begin({ columns, lines }) {
  files.clear();
  keys.show([]);
  inOrder(() => {
    drawn = acknowledged = 0;
    terminal.reset();
    terminal.resize(columns, lines);
  });
}

function tell(words, button = "") {
  part("notice").textContent = words;
  part("again").textContent = button;
  part("again").hidden = !button;
  part("status").hidden = !words;
  if (button) part("again").focus();
}

function makeFit() {
  const room = appearance.room();
  if (room?.cols) connection.send({ type: "resize", columns: room.cols, lines: room.rows });
}

function type(text) {
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length; at += FRAME) connection.type(bytes.subarray(at, at + FRAME));
}

terminal.onData(type);

terminal.attachCustomKeyEventHandler((event) => {
  const command = (event.ctrlKey || event.metaKey) && !event.altKey;
  // The browser's own copy and paste: xterm.js puts the selection into the one and takes the text of the other.
  if (command && event.code === "KeyC" && terminal.hasSelection()) return false;
  return !(command && event.code === "KeyV");
});
document.addEventListener("copy", () => setTimeout(() => terminal.clearSelection()));

terminal.element.addEventListener("paste", (event) => {
  event.preventDefault();
  event.stopPropagation();
  const text = event.clipboardData?.getData("text/plain") ?? "";
  if (text.length > MOST_PASTED) {
    tell("That is more than can be pasted at once: at most two million characters.");
    setTimeout(() => { if (connection.open) tell(""); }, 5000);
  } else terminal.paste(pasted(text));
}, { capture: true });

// Phones

function keepAboveKeyboard() {
  const view = visualViewport;
  document.body.style.height = `${view.height}px`;
  document.body.style.top = `${view.offsetTop}px`;
}

if (window.visualViewport) {
  visualViewport.addEventListener("resize", keepAboveKeyboard);
  visualViewport.addEventListener("scroll", keepAboveKeyboard);
  keepAboveKeyboard();
}

// More

part("larger").onclick = () => { appearance.resize(1); makeFit(); };
part("smaller").onclick = () => { appearance.resize(-1); makeFit(); };
part("reader").onclick = () => {
  terminal.options.screenReaderMode = !terminal.options.screenReaderMode;
  remember("reader", terminal.options.screenReaderMode);
  pressed();
};
part("show-keys").onclick = () => {
  const isHidden = getComputedStyle(part("keys")).display === "none";
  part("keys").className = isHidden ? "shown" : "hidden";
  pressed();
};

function pressed() {
  part("reader").setAttribute("aria-pressed", terminal.options.screenReaderMode);
  part("show-keys").setAttribute("aria-pressed", getComputedStyle(part("keys")).display !== "none");
}

document.addEventListener("pointerdown", (event) => {
  if (!part("more").contains(event.target)) part("more").open = false;
});
part("more").addEventListener("toggle", () => { if (!part("more").open) terminal.focus(); });

let resizing = 0;
new ResizeObserver(() => {
  clearTimeout(resizing);
  resizing = setTimeout(makeFit, 60);
}).observe(part("terminal"));

pressed();
connection.connect();
terminal.focus();
