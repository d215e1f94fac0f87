/* Sample sheet: a row a sub-class, or a group of images that look alike; pictures loaded when they come into view. Names only by textContent. */

import { make, whenSeen } from "./elements.mjs";

const KEEP = "__gmaugSheet";

export default function (component) {
  const { parentElement, data } = component;
  if (parentElement[KEEP] === data.version) return () => {};
  parentElement[KEEP] = data.version;
  const sheet = make("div", "sheet");
  sheet.tabIndex = 0; // it scrolls, so the keyboard must reach it
  sheet.setAttribute("aria-label", data.label);
  for (const [name, said, images] of data.rows) {
    const row = make("div", "row");
    const words = make("div");
    words.append(make("div", "name", name), make("div", "n", said));
    const strip = make("div", "strip");
    for (let k = 0; k < images.length; k++) {
      const image = Object.assign(make("img"), { decoding: "async", alt: "", width: 52, height: 52 });
      image.addEventListener("load", () => image.classList.toggle("tiny", image.naturalWidth < 52));
      strip.append(image);
    }
    whenSeen(row, () => images.forEach((index, k) => (strip.children[k].src = `${data.pictures}${index}?size=96`)));
    row.append(words, strip);
    sheet.append(row);
  }
  parentElement.querySelector(".sheet")?.remove();
  parentElement.append(sheet);
  return () => {};
}
