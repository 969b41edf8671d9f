// Files: what the menu offers is a link, what it asks for is chosen here and sent.

export class Files {
  constructor(place, cancel) {
    this.place = place;
    this.cancel = cancel;
    this.rows = new Map();
  }

  clear() {
    for (const token of [...this.rows.keys()]) this.remove(token);
  }

  offer({ token, name, bytes }) {
    const row = this.row(token, `${name} (${size(bytes)})`);
    const link = element("a", "Download");
    link.className = "button";
    link.href = `/files/${encodeURIComponent(token)}`;
    link.download = name;
    row.append(link);
  }

  ask({ token, what, ending }) {
    const row = this.row(token, what);
    const input = element("input");
    input.type = "file";
    input.accept = ending;
    input.setAttribute("aria-label", what);
    input.onchange = () => { if (input.files.length) this.send(token, row, input, input.files[0]); };
    const cancel = element("button", "Cancel");
    cancel.type = "button";
    cancel.onclick = () => { this.rows.get(token)?.request?.abort(); this.cancel(token); };
    row.append(input, cancel);
  }

  send(token, row, input, file) {
    const name = row.querySelector(".name");
    const progress = element("progress");
    progress.max = 1;
    progress.value = 0;
    row.insertBefore(progress, input);
    input.hidden = true;
    const request = this.rows.get(token).request = new XMLHttpRequest();
    const failed = (why) => {
      progress.remove();
      input.hidden = false;
      input.value = "";
      name.textContent = why;
    };
    request.upload.onprogress = (event) => { if (event.lengthComputable) progress.value = event.loaded / event.total; };
    request.onload = () => {
      if (request.status >= 400) failed(plain(request) || "The file could not be sent. Choose it again.");
    };
    request.onerror = () => failed("The file did not arrive. Check the network, then choose it again.");
    request.open("POST", `/files/${encodeURIComponent(token)}`);
    const form = new FormData();
    form.append("file", file, file.name);
    request.send(form);
  }

  row(token, words) {
    this.remove(token);
    const row = element("div");
    const name = element("span", words);
    name.className = "name";
    row.append(name);
    this.rows.set(token, { row });
    this.place.append(row);
    this.place.hidden = false;
    return row;
  }

  remove(token) {
    this.rows.get(token)?.row.remove();
    this.rows.delete(token);
    this.place.hidden = this.rows.size === 0;
  }
}

function element(name, text = "") {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function plain(request) {
  return (request.getResponseHeader("Content-Type") ?? "").startsWith("text/plain") ? request.responseText : "";
}

function size(bytes) {
  for (const unit of ["bytes", "KB", "MB"]) {
    if (bytes < 1000 || unit === "MB") return `${unit === "bytes" ? bytes : bytes.toFixed(1)} ${unit}`;
    bytes /= 1000;
  }
}
