import assert from "node:assert/strict";
import { test } from "node:test";
import { OperationLog } from "../../assets/operations.mjs";

const numbers = (log) => log.pending.map((op) => op.n);

/* The storage of a tab: what it holds is text. */
class Storage {
  held = new Map();
  getItem = (name) => this.held.get(name) ?? null;
  setItem = (name, text) => this.held.set(name, text);
  removeItem = (name) => this.held.delete(name);
}

test("an operation is kept until it is acknowledged", () => {
  const log = new OperationLog("a", null);
  assert.equal(log.receive({ mount: "m", ack: 0 }), "taken");
  log.add({ do: "a" });
  log.add({ do: "b" });
  assert.deepEqual(log.pending, [
    { do: "a", id: "m-1", n: 1, mount: "m" },
    { do: "b", id: "m-2", n: 2, mount: "m" },
  ]);
  assert.equal(log.receive({ mount: "m", ack: 1 }), "taken");
  assert.deepEqual(numbers(log), [2]);
  assert.equal(log.receive({ mount: "m", ack: 2 }), "taken");
  assert.deepEqual(numbers(log), []);
});

test("an older answer that comes late changes nothing", () => {
  const log = new OperationLog("a", null);
  log.receive({ mount: "m", ack: 0 });
  log.add({ do: "a" });
  log.receive({ mount: "m", ack: 1 });
  log.add({ do: "b" });
  assert.equal(log.receive({ mount: "m", ack: 0 }), "stale");
  assert.deepEqual(numbers(log), [2]);
});

test("a new session on the server gets what the old one had not acknowledged, under its own numbers", () => {
  const log = new OperationLog("a", null);
  log.receive({ mount: "old", ack: 7 });
  log.add({ do: "a" });
  log.add({ do: "b" });
  assert.deepEqual(numbers(log), [8, 9]);
  assert.equal(log.receive({ mount: "new", ack: 0 }), "resend");
  assert.deepEqual(log.pending, [
    { do: "a", id: "old-8", n: 1, mount: "new" },
    { do: "b", id: "old-9", n: 2, mount: "new" },
  ]);
  log.add({ do: "c" });
  assert.deepEqual(numbers(log), [1, 2, 3]);
});

test("whatever messages are lost, every operation is done once and in order", () => {
  // the server of gmaug_core/ui/operations.py, in three lines
  let ack = 0;
  const done = [];
  const server = (ops) => ops.forEach((op) => op.n > ack && (done.push(op.k), (ack = op.n)));
  let state = 1;
  const chance = () => (state = (state * 16807) % 2147483647) / 2147483647;
  const log = new OperationLog("a", null);
  log.receive({ mount: "m", ack });
  for (let k = 0; k < 500; k++) {
    log.add({ k });
    if (chance() < 0.4) server(log.pending); // the others never arrive
    if (chance() < 0.4) log.receive({ mount: "m", ack }); // nor do all answers
  }
  server(log.pending);
  log.receive({ mount: "m", ack });
  assert.deepEqual(done, Array.from({ length: 500 }, (_, k) => k));
  assert.deepEqual(log.pending, []);
});

test("what was done in the moment before a reload is sent by the next page, as the same operation", () => {
  const storage = new Storage();
  const before = new OperationLog("board", storage);
  before.receive({ mount: "old", ack: 4 });
  before.add({ do: "a" });
  before.add({ do: "b" });
  before.receive({ mount: "old", ack: 5 }); // b never arrived
  const after = new OperationLog("board", storage);
  assert.equal(after.receive({ mount: "new", ack: 0 }), "resend");
  assert.deepEqual(after.pending, [{ do: "b", id: "old-6", n: 1, mount: "new" }]);
  after.receive({ mount: "new", ack: 1 });
  assert.equal(storage.held.size, 0);
  assert.equal(new OperationLog("board", storage).receive({ mount: "third", ack: 0 }), "taken");
});

test("each log keeps its own, and a storage that is full, refused or spoilt costs nothing but the reload", () => {
  const storage = new Storage();
  const first = new OperationLog("first", storage);
  first.receive({ mount: "m", ack: 0 });
  first.add({ do: "a" });
  assert.deepEqual(new OperationLog("second", storage).pending, []);
  storage.held.set("gmaug-first", "{");
  assert.deepEqual(new OperationLog("first", storage).pending, []);
  const full = new OperationLog("full", { ...storage, setItem: () => { throw new Error("QuotaExceededError"); } });
  full.receive({ mount: "m", ack: 0 });
  full.add({ do: "a" });
  full.add({ do: "b" });
  assert.deepEqual(numbers(full), [1, 2]);
});
