/* Elements of our own components. Text is only ever written with textContent. */

export function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

/* Do something when an element comes into view for the first time. loading="lazy" is not enough: of ten thousand cards in
   a part of the page that scrolls, a browser fetches every picture. */
const awaited = new WeakMap();
let observer = null;

export function whenSeen(element, act) {
  observer ??= new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) continue;
        observer.unobserve(target);
        awaited.get(target)();
      }
    },
    { rootMargin: "200px" },
  );
  awaited.set(element, act);
  observer.observe(element);
}
