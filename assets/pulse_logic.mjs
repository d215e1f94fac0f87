/* When a watching page must be drawn again: at once when the run changed its state or stage; when there is something new to
   draw, but not more often than every `draw` seconds. drawn: {shape, news, at}, the last drawing; now: {shape, news}; time: s. */
export function due(drawn, now, time, draw) {
  return now.shape !== drawn.shape || (now.news !== drawn.news && time - drawn.at >= draw);
}
