// The line to the menu: opened, kept, opened again when it was lost. Nothing is kept of what could not be sent.

const TRIES = [0, 250, 500, 1000];
// After a minute of trying once a second it can only be something longer.
const PATIENCE = 60, SLOW = 5000;
const ANSWER_WITHIN = 3000, OPENS_WITHIN = 10000, SILENT = 60000;
// Closing codes of the server: it will not open again by itself.
const FINAL = new Set([4000, 4401, 4403, 4408, 4413, 4429]);
// A server that stops says so itself, or has it said by what runs it.
const RESTARTS = new Set([4503, 1001, 1012]);

export class Connection {
  // `page`: address() of the line, output(bytes), message(object), state(word, why, code).
  constructor(page) {
    this.page = page;
    this.socket = null;
    this.failed = 0;
    this.ended = null;
    this.timer = 0;
    addEventListener("online", () => this.look());
    addEventListener("offline", () => this.drop());
    addEventListener("pageshow", (event) => { if (event.persisted) this.look(); });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.look(); });
    setInterval(() => {
      const patience = this.open ? SILENT : OPENS_WITHIN;
      if (this.socket && Date.now() - this.heard > patience) this.drop();
    }, 2000);
  }

  get open() { return this.socket !== null && this.socket.readyState === WebSocket.OPEN; }

  connect() {
    clearTimeout(this.timer);
    if (this.socket) return;
    this.ended = null;
    const socket = this.socket = new WebSocket(this.page.address());
    socket.binaryType = "arraybuffer";
    this.heard = Date.now();
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.failed = 0;
      this.heard = Date.now();
      this.page.state("open");
    };
    socket.onmessage = (event) => {
      this.heard = Date.now();
      if (typeof event.data !== "string") this.page.output(new Uint8Array(event.data));
      else this.receive(JSON.parse(event.data));
    };
    socket.onclose = (event) => {
      if (this.socket === socket) this.closed(event.code, opened);
    };
  }

  receive(message) {
    if (message.type === "ping") this.send({ type: "pong" });
    else if (message.type === "end") this.ended = message;
    else this.page.message(message);
  }

  closed(code, opened) {
    this.socket = null;
    const why = this.ended?.why ?? "";
    if (FINAL.has(code)) {
      this.page.state("ended", why, code);
      return;
    }
    const restarts = RESTARTS.has(code);
    this.page.state("lost", restarts ? why || "The server restarts. Trying again." : "");
    if (!opened) this.signedIn();
    this.again(restarts ? 1000 : 0);
  }

  // A sign-in that has ended looks like a lost network to a WebSocket; the page itself can tell.
  async signedIn() {
    try {
      const answer = await fetch(location.pathname, { redirect: "manual", cache: "no-store" });
      if (answer.type === "opaqueredirect") location.reload();
    } catch { /* no network */ }
  }

  again(least = 0) {
    const wait = this.failed > PATIENCE ? SLOW : TRIES[Math.min(this.failed, TRIES.length - 1)];
    this.failed += 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), Math.max(least, wait * (0.8 + 0.2 * Math.random())));
  }

  // The network is said to be back, or somebody looks: find out at once.
  look() {
    if (this.open) {
      const asked = this.heard;
      this.send({ type: "ping" });
      setTimeout(() => { if (this.open && this.heard === asked) this.drop(); }, ANSWER_WITHIN);
    } else if (!this.ended) {
      // One that is being opened since before may wait for an answer that is lost.
      if (this.socket && Date.now() - this.heard < ANSWER_WITHIN) return;
      if (this.socket) this.forget();
      this.failed = 0;
      this.connect();
    }
  }

  drop() {
    if (!this.socket) return;
    this.forget();
    this.closed(1006, true);
  }

  forget() {
    const socket = this.socket;
    this.socket = null;
    socket.onmessage = socket.onopen = null;
    socket.close();
  }

  send(message) { if (this.open) this.socket.send(JSON.stringify(message)); }

  type(bytes) { if (this.open) this.socket.send(bytes); }
}
