/* Drop zone: PUTs a file in slices to our own route, goes on after a broken connection, says how it goes. */

const KEEP = "__gmaugUploader";
const RETRIES = 6;
const HEAD = 65536; // bytes by which the server knows whether this file is the one that it has the beginning of

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const uploader = (parentElement[KEEP] ??= new Uploader(parentElement));
  uploader.data = data;
  uploader.done = () => setTriggerValue("done", Date.now());
  return () => {}; // an upload goes on while the page reruns; leaving the page ends it, and the bytes that arrived are kept
}

function make(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}

const megabytes = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1000)} KB` : `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`);

class Uploader {
  constructor(parent) {
    this.root = make("div", { className: "drop" });
    this.input = make("input", { type: "file", accept: ".zip,.tar,.gz,.tgz,.bz2,.xz", hidden: true });
    this.title = make("strong");
    this.say = make("div", { className: "say" });
    this.say.setAttribute("role", "status");
    this.bar = make("progress", { max: 1, value: 0, hidden: true });
    this.button = make("button", { type: "button" });
    this.root.append(this.title, this.say, this.bar, this.button, this.input);
    this.button.addEventListener("click", () => (this.busy ? this.cancel() : this.input.click()));
    this.input.addEventListener("change", () => this.take(this.input.files));
    this.root.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.root.classList.add("over");
    });
    this.root.addEventListener("dragleave", (event) => {
      if (!this.root.contains(event.relatedTarget)) this.root.classList.remove("over");
    });
    this.root.addEventListener("drop", (event) => {
      event.preventDefault();
      this.root.classList.remove("over");
      this.take(event.dataTransfer.files);
    });
    parent.append(this.root);
    this.rest();
  }

  rest(problem = "") {
    this.busy = null;
    this.title.textContent = "Drop a zip or tar.gz of images here";
    this.say.textContent = problem || "One folder a class inside; train, val and test folders are kept";
    this.say.classList.toggle("bad", Boolean(problem));
    this.bar.hidden = true;
    this.button.textContent = "Choose a file";
    this.input.value = "";
  }

  cancel() {
    this.busy?.abort();
    this.rest("The upload was cancelled; nothing was imported.");
  }

  take(files) {
    if (this.busy || !files.length) return;
    if (files.length > 1) return this.rest("One archive at a time, please. To import a folder, zip it, or give its path on this machine.");
    if (!/\.(zip|tar|tgz|(tar\.)?(gz|bz2|xz))$/i.test(files[0].name)) return this.rest(`${files[0].name} is neither a zip nor a tar.gz. Put the class folders into one zip file.`);
    if (files[0].size > this.data.limit) return this.rest(`${files[0].name} is larger than ${megabytes(this.data.limit)}; give its path on this machine instead.`);
    this.upload(files[0], this.data);
  }

  async upload(file, { address, ticket, slice }) {
    const stop = (this.busy = new AbortController());
    this.title.textContent = file.name;
    this.say.classList.remove("bad");
    this.bar.hidden = false;
    this.button.textContent = "Cancel";
    const began = performance.now();
    let sent = 0;
    let left = RETRIES;
    let upload = "";
    const ask = async (request, more = {}) => {
      const headers = { "x-ticket": ticket, "x-upload": upload, "x-offset": String(sent), ...more };
      const answer = await fetch(address, { ...request, headers, signal: stop.signal });
      return { status: answer.status, ...(await answer.json()) };
    };
    const about = { "x-name": encodeURIComponent(file.name), "x-total": String(file.size), "x-modified": String(file.lastModified) };
    const begin = () => ask({ method: "POST", body: file.slice(0, HEAD) }, about);
    while (this.busy === stop) {
      this.bar.value = sent / file.size;
      const seconds = (performance.now() - began) / 1000;
      this.say.textContent = `${megabytes(sent)} of ${megabytes(file.size)}` + (seconds > 1 && sent ? ` · ${megabytes(sent / seconds)} a second` : "");
      try {
        const answer = upload ? await ask({ method: "PUT", body: file.slice(sent, sent + slice) }) : await begin();
        if (this.busy !== stop) return;
        if (answer.error) return this.rest(`The upload was refused: ${answer.error}.`);
        if (answer.done) return this.finish();
        if (upload && answer.received === sent) throw new Error("nothing arrived");
        upload ||= answer.upload;
        sent = answer.received;
        left = RETRIES;
      } catch {
        if (stop.signal.aborted) return;
        if (!left--) return this.rest("The connection broke off, and trying again did not help. Choose the file again to go on.");
        this.say.textContent = "The connection broke off; trying again…";
        await new Promise((wake) => setTimeout(wake, 800));
        if (!upload) continue;
        try {
          const answer = await ask({ method: "GET" });
          if (answer.error) return this.rest(`The upload was refused: ${answer.error}.`);
          if (answer.done) return this.finish();
          sent = answer.received ?? sent;
        } catch {
          // still down: the next round counts it
        }
      }
    }
  }

  finish() {
    this.rest();
    this.say.textContent = "Received. The import has begun.";
    this.done();
  }
}
