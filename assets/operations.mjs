/* The log of what a person did. Component events are lossy (the newest value wins), so an operation has a number, is sent
   with all that are not acknowledged yet, and is forgotten when it is. It outlives its page: what was done in the moment
   before a reload is sent by the page that comes next. gmaug_core/ui/operations.py is the other half. */

/* What a tab keeps over a reload; null where the browser keeps nothing, and a log lives as long as its page. */
function tabStorage() {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null;
  }
}

export class OperationLog {
  /* name: whose operations on what, one log each; storage: getItem, setItem, removeItem. */
  constructor(name, storage = tabStorage()) {
    this.name = `gmaug-${name}`;
    this.storage = storage;
    this.mount = null; // the session on the server that the numbers count in
    this.n = 0;
    this.acked = 0;
    this.pending = this.kept();
  }

  /* Take in an answer. "stale": an older one that came late, to be left alone; "resend": what is pending must be sent again. */
  receive({ mount, ack }) {
    const known = mount === this.mount;
    if (known && ack < this.acked) return "stale";
    this.acked = ack;
    if (!known) {
      // a new session on the server: it knows nothing of our numbers, so what is not acknowledged gets new ones
      this.mount = mount;
      this.n = ack;
      this.pending = this.pending.map((op) => ({ ...op, n: ++this.n, mount }));
    }
    this.n = Math.max(this.n, ack);
    const all = this.pending.length;
    this.pending = this.pending.filter((op) => op.n > ack);
    if (!known || this.pending.length < all) this.keep();
    return !known && this.pending.length ? "resend" : "taken";
  }

  /* An operation keeps its id when it gets a new number: the server does it once. */
  add(op) {
    const n = ++this.n;
    this.pending = [...this.pending, { ...op, id: `${this.mount}-${n}`, n, mount: this.mount }];
    this.keep();
  }

  kept() {
    try {
      const found = JSON.parse(this.storage?.getItem(this.name) ?? "[]");
      return Array.isArray(found) ? found : [];
    } catch {
      return [];
    }
  }

  keep() {
    try {
      if (this.pending.length) this.storage?.setItem(this.name, JSON.stringify(this.pending));
      else this.storage?.removeItem(this.name);
    } catch {
      this.storage = null; // full or forbidden: what is pending lives as long as the page
    }
  }
}
