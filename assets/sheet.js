/* Sample sheet: a row a sub-class, or a group of images that look alike; pictures loaded when they come into view. Names only by textContent. */

const KEEP = "__gmaugSheet";

export default function (component) {
  const { parentElement, data } = component;
  if (parentElement[KEEP] === data.version) return () => {};
  parentElement[KEEP] = data.version;
  const sheet = document.createElement("div");
  sheet.className = "sheet";
  sheet.tabIndex = 0; // it scrolls, so the keyboard must reach it
  sheet.setAttribute("aria-label", data.label);
  for (const [name, said, images] of data.rows) {
    const row = document.createElement("div");
    row.className = "row";
    const words = document.createElement("div");
    const title = Object.assign(document.createElement("div"), { className: "name", textContent: name });
    const n = Object.assign(document.createElement("div"), { className: "n", textContent: said });
    words.append(title, n);
    const strip = document.createElement("div");
    strip.className = "strip";
    for (const index of images) {
      const image = Object.assign(document.createElement("img"), { loading: "lazy", decoding: "async", alt: "", width: 52, height: 52 });
      image.addEventListener("load", () => image.classList.toggle("tiny", image.naturalWidth < 52));
      image.src = `${data.pictures}${index}?size=96`;
      strip.append(image);
    }
    row.append(words, strip);
    sheet.append(row);
  }
  parentElement.querySelector(".sheet")?.remove();
  parentElement.append(sheet);
  return () => {};
}
