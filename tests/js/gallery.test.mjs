import assert from "node:assert/strict";
import { test } from "node:test";
import { decided, grid, keyed, onScreen, parts, range, scrolled, undone } from "../../assets/gallery_logic.mjs";

test("what is not acknowledged lies over what the server says", () => {
  const server = { 1: "keep", 2: "reject" };
  const pending = [{ edits: [[1, null], [3, "keep"]] }, { edits: [[3, "reject"]] }];
  assert.deepEqual(decided(server, pending), { 2: "reject", 3: "reject" });
  assert.deepEqual(server, { 1: "keep", 2: "reject" });
});

const NOW = { at: 10, total: 100, columns: 8, page: 24 };
const press = (key, now = {}) => keyed({ key, modified: false }, { ...NOW, ...now });

test("keys move by cell, row, screen, and stop at the ends", () => {
  const to = { ArrowLeft: 9, ArrowRight: 11, ArrowUp: 2, ArrowDown: 18, PageUp: 0, PageDown: 34, Home: 0, End: 99 };
  for (const [key, position] of Object.entries(to)) assert.deepEqual(press(key), { to: position, extend: false });
  assert.deepEqual(press("ArrowLeft", { at: 0 }), { to: 0, extend: false });
  assert.deepEqual(press("ArrowDown", { at: 95 }), { to: 99, extend: false });
  assert.deepEqual(press("ArrowRight", { at: 0, total: 0 }), { to: 0, extend: false });
});

test("keys decide, in either case of the letter", () => {
  for (const key of ["k", "K"]) assert.deepEqual(press(key), { decision: "keep" });
  for (const key of ["x", "X"]) assert.deepEqual(press(key), { decision: "reject" });
  for (const key of ["f", "F", "Backspace", "Delete"]) assert.deepEqual(press(key), { decision: null });
  for (const key of ["a", "Enter", "toString", "constructor"]) assert.equal(press(key), null);
  assert.equal(keyed({ key: "k", modified: true }, NOW), null);
});

test("U and Ctrl+Z undo, and nothing else does", () => {
  for (const key of ["u", "U"]) assert.deepEqual(press(key), { undo: true });
  assert.deepEqual(keyed({ key: "z", modified: true, command: true }, NOW), { undo: true });
  assert.equal(keyed({ key: "z", modified: true, command: false }, NOW), null);
  assert.equal(press("z"), null);
});

test("Shift selects on the way, Ctrl+A all, Escape nothing", () => {
  assert.deepEqual(keyed({ key: "ArrowDown", shift: true }, NOW), { to: 18, extend: true });
  assert.deepEqual(keyed({ key: "a", modified: true, command: true }, NOW), { all: true });
  assert.equal(press("a"), null);
  assert.deepEqual(press("Escape"), { none: true });
  assert.deepEqual(range(5, 2), [2, 3, 4, 5]);
  assert.deepEqual(range(3, 3), [3]);
});

test("undo gives back what stood there before, the last first", () => {
  const done = [[[4, null]], [[9, "reject"], [10, null]]];
  assert.deepEqual(undone(done), [[9, "reject"], [10, null]]);
  assert.deepEqual(undone(done), [[4, null]]);
  assert.equal(undone(done), null);
});

test("the grid fills the width with cells of at least the size", () => {
  const sizes = { cell: 96, foot: 20, gap: 6 };
  for (let width = 60; width < 2000; width += 7) {
    const { columns, side, rowHeight } = grid(width, sizes);
    assert.ok(columns >= 1 && (side >= 96 || columns === 1));
    assert.ok(Math.abs(columns * (side + 6) + 6 - width) < 1e-6);
    assert.equal(rowHeight, side + 26);
  }
});

test("only what is on screen, and some rows around, is on the page", () => {
  const one = { columns: 10, rowHeight: 100 };
  assert.deepEqual(onScreen(one, 1000, 0, 500, 2), { first: 0, last: 70 });
  assert.deepEqual(onScreen(one, 1000, 5050, 500, 2), { first: 480, last: 580 });
  assert.deepEqual(onScreen(one, 23, 0, 500, 2), { first: 0, last: 23 });
});

test("a position that is moved to is seen whole", () => {
  const one = { columns: 10, rowHeight: 100 };
  assert.equal(scrolled(one, 25, 0, 500), 0);
  assert.equal(scrolled(one, 25, 300, 500), 200);
  assert.equal(scrolled(one, 75, 0, 500), 300);
});

test("pictures are asked for in parts, in ascending order, each once", () => {
  assert.deepEqual(parts([5, 1, 9, 3, 7], 2), [[1, 3], [5, 7], [9]]);
  assert.deepEqual(parts([], 2), []);
});
