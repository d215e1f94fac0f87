/* The log of what a person did. Component events are lossy (the newest value wins), so an operation has a number, is sent
   with all that are not acknowledged yet, and is forgotten when it is. gmaug_core/ui/operations.py is the other half. */

export class OperationLog {
  pending = [];

  constructor(mount = null, ack = 0) {
    this.mount = mount; // the session on the server that the numbers count in
    this.n = ack;
    this.acked = ack;
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
    this.pending = this.pending.filter((op) => op.n > ack);
    return !known && this.pending.length ? "resend" : "taken";
  }

  add(op) {
    this.pending = [...this.pending, { ...op, n: ++this.n, mount: this.mount }];
  }
}
