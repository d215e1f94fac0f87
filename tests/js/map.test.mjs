import assert from "node:assert/strict";
import { test } from "node:test";
import { areaOf, cornersOf, nearest } from "../../assets/map_logic.mjs";

test("a lasso becomes an area and back, within the map and with few corners", () => {
  const circle = Array.from({ length: 500 }, (_, k) => ({ x: 0.5 + 0.6 * Math.cos(k / 79.6), y: 0.5 + 0.2 * Math.sin(k / 79.6) }));
  const area = areaOf(circle);
  const corners = cornersOf(area);
  assert.ok(corners.length >= 30 && corners.length <= 60);
  assert.ok(corners.every(([x, y]) => x >= 0 && x <= 1 && y >= 0.29 && y <= 0.71));
  assert.match(area, /^\d+,\d+(;\d+,\d+)+$/);
  assert.deepEqual(cornersOf("0,0;1000,0;500,250"), [[0, 0], [1, 0], [0.5, 0.25]]);
});

test("a click, a line and no area at all are no lasso", () => {
  assert.equal(areaOf([{ x: 0.1, y: 0.1 }]), null);
  assert.equal(areaOf([0.1, 0.2, 0.3, 0.4].map((x) => ({ x, y: x }))), null);
  assert.deepEqual(cornersOf(""), []);
});

test("a pointer means the nearest point within reach", () => {
  assert.equal(nearest([0, 100, 200], [0, 100, 200], 110, 95, 20), 1);
  assert.equal(nearest([0, 100, 200], [0, 100, 200], 150, 150, 20), -1);
  assert.equal(nearest([], [], 0, 0, 20), -1);
});
