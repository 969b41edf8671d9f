// Colours by day and by night, and a size of letters that leaves room for forty columns.

const DARK = {
  background: "#14171c", foreground: "#e6e6e6", cursor: "#e6e6e6", selectionBackground: "#3d5a80",
  black: "#3b4048", red: "#ff7b72", green: "#7ee787", yellow: "#e3b341", blue: "#79b8ff", magenta: "#d2a8ff",
  cyan: "#56d4dd", white: "#d0d7de", brightBlack: "#8b949e", brightRed: "#ffa198", brightGreen: "#a5f0ae",
  brightYellow: "#f2cc60", brightBlue: "#a5d6ff", brightMagenta: "#e2c5ff", brightCyan: "#8ae6ee",
  brightWhite: "#ffffff",
};
const LIGHT = {
  background: "#ffffff", foreground: "#1b1f24", cursor: "#1b1f24", selectionBackground: "#b6d7ff",
  black: "#1b1f24", red: "#b91c1c", green: "#116329", yellow: "#7d4e00", blue: "#0550ae", magenta: "#8250df",
  cyan: "#0a6570", white: "#57606a", brightBlack: "#57606a", brightRed: "#a40e26", brightGreen: "#1a7f37",
  brightYellow: "#633c01", brightBlue: "#0969da", brightMagenta: "#6639ba", brightCyan: "#0b7285",
  brightWhite: "#24292f",
};
const LARGEST = 32, SMALLEST = 8, USUAL = 15, LEAST_COLUMNS = 40;
const NIGHT = matchMedia("(prefers-color-scheme: dark)");

export const FONTS = 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", "Noto Sans Mono", monospace';

export function theme() {
  return NIGHT.matches ? DARK : LIGHT;
}

export class Appearance {
  constructor(terminal, fit) {
    this.terminal = terminal;
    this.fit = fit;
    this.size = Number(recall("size")) || USUAL;
    NIGHT.addEventListener("change", () => { terminal.options.theme = theme(); });
  }

  // The columns and lines there is room for, with letters as large as wanted where that leaves forty columns.
  room() {
    for (let size = this.size; ; size -= 1) {
      if (this.terminal.options.fontSize !== size) this.terminal.options.fontSize = size;
      const room = this.fit.proposeDimensions();
      if (!room || !room.cols || room.cols >= LEAST_COLUMNS || size <= SMALLEST) return room;
    }
  }

  resize(by) {
    this.size = Math.max(SMALLEST, Math.min(LARGEST, this.size + by));
    remember("size", this.size);
  }
}

export function remember(name, value) {
  try { localStorage.setItem(`crm-${name}`, String(value)); } catch { /* private windows */ }
}

export function recall(name) {
  try { return localStorage.getItem(`crm-${name}`); } catch { return null; }
}
