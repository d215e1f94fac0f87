import assert from "node:assert/strict";
import { test } from "node:test";
import { OperationLog } from "../../assets/operations.mjs";

const numbers = (log) => log.pending.map((op) => op.n);

test("an operation is kept until it is acknowledged", () => {
  const log = new OperationLog();
  assert.equal(log.receive({ mount: "m", ack: 0 }), "taken");
  log.add({ do: "a" });
  log.add({ do: "b" });
  assert.deepEqual(log.pending, [{ do: "a", n: 1, mount: "m" }, { do: "b", n: 2, mount: "m" }]);
  assert.equal(log.receive({ mount: "m", ack: 1 }), "taken");
  assert.deepEqual(numbers(log), [2]);
  assert.equal(log.receive({ mount: "m", ack: 2 }), "taken");
  assert.deepEqual(numbers(log), []);
});

test("an older answer that comes late changes nothing", () => {
  const log = new OperationLog();
  log.receive({ mount: "m", ack: 0 });
  log.add({ do: "a" });
  log.receive({ mount: "m", ack: 1 });
  log.add({ do: "b" });
  assert.equal(log.receive({ mount: "m", ack: 0 }), "stale");
  assert.deepEqual(numbers(log), [2]);
});

test("a new session on the server gets what the old one had not acknowledged, under its own numbers", () => {
  const log = new OperationLog();
  log.receive({ mount: "old", ack: 7 });
  log.add({ do: "a" });
  log.add({ do: "b" });
  assert.deepEqual(numbers(log), [8, 9]);
  assert.equal(log.receive({ mount: "new", ack: 0 }), "resend");
  assert.deepEqual(log.pending, [{ do: "a", n: 1, mount: "new" }, { do: "b", n: 2, mount: "new" }]);
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
  const log = new OperationLog();
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
