// Choosing many pictures: a press on a check, with shift a range, a rectangle by mouse, a long press, or keys. What is
// chosen is what is ticked; the bar says how many, and its buttons send their ids in one field.
import { empty, fill } from "./seats.js";

const rows = document.getElementById("pictures");
const field = rows.closest(".pictures");
const bar = document.getElementById("selection");
const count = bar.querySelector(".selection-count");

const FAR = 6; // pixels that make a press a drag
const LONG_PRESS_MS = 450;
const EDGE = 56; // pixels from the window's edge where a drag scrolls

const tiles = () => [...rows.querySelectorAll(".tile:has(> .tile-check)")];
const boxOf = (tile) => tile.querySelector(":scope > .tile-check > input");
const chosen = () => [...rows.querySelectorAll(".tile-check > :checked")].map((box) => box.value);
const isChoosing = () => rows.classList.contains("is-choosing");

let anchor; // the tile that ranges start at
let before; // what was chosen when the range began: it stays

function show() {
  const n = rows.querySelectorAll(".tile-check > :checked").length;
  rows.classList.toggle("is-choosing", n > 0);
  bar.classList.toggle("is-on", n > 0);
  count.textContent = n === 1 ? count.dataset.one : count.dataset.many.replace("{n}", n);
}

function toggle(tile, on = !boxOf(tile).checked) {
  boxOf(tile).checked = on;
  anchor = tile;
  before = undefined;
  show();
}

// All from the anchor to `tile`, and what was chosen before the range.
function stretch(tile) {
  const all = tiles();
  if (!anchor?.isConnected || !boxOf(anchor)) anchor = tile;
  before ??= new Set(chosen());
  const [from, to] = [all.indexOf(anchor), all.indexOf(tile)].sort((a, b) => a - b);
  all.forEach((other, n) => { boxOf(other).checked = (n >= from && n <= to) || before.has(boxOf(other).value); });
  show();
}

export function chooseNone() {
  for (const box of rows.querySelectorAll(".tile-check > :checked")) box.checked = false;
  anchor = before = undefined;
  show();
}

function chooseAll() {
  for (const tile of tiles()) boxOf(tile).checked = true;
  show();
}

// While something is chosen a press on a picture chooses it, too. In the capture phase: before anything opens it.
let isSpent = false; // the press that ends a drag or a long press is no click
rows.addEventListener("click", (event) => {
  if (isSpent) {
    isSpent = false;
    event.preventDefault();
    event.stopPropagation();
    return;
  }
  const tile = event.target.closest(".tile");
  if (event.target.matches(".tile-check > input")) {
    if (event.shiftKey && anchor) stretch(tile);
    else toggle(tile, event.target.checked);
  } else if (event.target.closest("a[data-picture]") && boxOf(tile) && !event.metaKey && !event.ctrlKey && (event.shiftKey || isChoosing())) {
    event.preventDefault();
    event.stopPropagation();
    if (event.shiftKey) stretch(tile);
    else toggle(tile);
  }
}, true);
rows.addEventListener("change", show);

// --- The rectangle ---
let drag;

function begin(event) {
  const marquee = document.createElement("div");
  marquee.className = "marquee";
  document.body.append(marquee);
  const places = tiles().map((tile) => {
    const box = tile.getBoundingClientRect();
    return { box: boxOf(tile), left: box.left, right: box.right, top: box.top + scrollY, bottom: box.bottom + scrollY };
  });
  const keeps = event.shiftKey || event.ctrlKey || event.metaKey;
  Object.assign(drag, { marquee, places, base: new Set(keeps ? chosen() : []), isOn: true });
  field.setPointerCapture(drag.pointer);
  getSelection().removeAllRanges();
  requestAnimationFrame(follow);
}

function follow() {
  if (!drag?.isOn) return;
  if (drag.y < EDGE) scrollBy({ top: -14, behavior: "instant" });
  else if (drag.y > innerHeight - EDGE) scrollBy({ top: 14, behavior: "instant" });
  const y = drag.y + scrollY;
  const [left, right] = [drag.fromX, drag.x].sort((a, b) => a - b);
  const [top, bottom] = [drag.fromY, y].sort((a, b) => a - b);
  Object.assign(drag.marquee.style, {
    left: `${left}px`, top: `${top - scrollY}px`, width: `${right - left}px`, height: `${bottom - top}px`,
  });
  for (const place of drag.places) {
    const isIn = place.left < right && place.right > left && place.top < bottom && place.bottom > top;
    place.box.checked = isIn || drag.base.has(place.box.value);
  }
  show();
  requestAnimationFrame(follow);
}

function end() {
  drag?.marquee?.remove();
  drag = undefined;
}

// --- The long press ---
let pressing;

field.addEventListener("pointerdown", (event) => {
  isSpent = false;
  if (event.button !== 0 || event.target.closest("button, input, label, form, .tile-actions")) return;
  if (event.pointerType === "mouse") {
    drag = { pointer: event.pointerId, fromX: event.clientX, fromY: event.clientY + scrollY, x: event.clientX, y: event.clientY };
  } else {
    const tile = event.target.closest(".tile");
    if (!tile || !boxOf(tile)) return;
    pressing = { x: event.clientX, y: event.clientY };
    pressing.timer = setTimeout(() => {
      pressing = undefined;
      isSpent = true;
      navigator.vibrate?.(10);
      toggle(tile);
    }, LONG_PRESS_MS);
  }
});
field.addEventListener("pointermove", (event) => {
  if (pressing && Math.hypot(event.clientX - pressing.x, event.clientY - pressing.y) > FAR * 2) giveUp();
  if (!drag || event.pointerId !== drag.pointer) return;
  Object.assign(drag, { x: event.clientX, y: event.clientY });
  if (!drag.isOn && Math.hypot(drag.x - drag.fromX, drag.y + scrollY - drag.fromY) > FAR) begin(event);
});

function giveUp() {
  clearTimeout(pressing?.timer);
  pressing = undefined;
}
field.addEventListener("pointerup", () => {
  giveUp();
  isSpent ||= Boolean(drag?.isOn);
  end();
  setTimeout(() => { isSpent = false; }, 100); // a drag that ends elsewhere has no click to spend
});
field.addEventListener("pointercancel", () => { giveUp(); end(); });
field.addEventListener("dragstart", (event) => event.preventDefault());
field.addEventListener("contextmenu", (event) => {
  if (event.pointerType !== "mouse" && event.target.closest(".tile")) event.preventDefault();
});

// --- Keys ---
const isElsewhere = (target) =>
  target.closest("input:not([type=checkbox]), textarea, select, [popover]:popover-open, details.menu[open]") ||
  document.querySelector("#sheet:popover-open, .lightbox:not([hidden])");

// The tile beside: in the order of the pages, or, up and down, the one that lies nearest in the next row.
function beside(tile, key) {
  const all = tiles();
  const at = all.indexOf(tile);
  const isRtl = document.dir === "rtl" || document.documentElement.dir === "rtl";
  if (key === "ArrowLeft") return all[at + (isRtl ? 1 : -1)];
  if (key === "ArrowRight") return all[at + (isRtl ? -1 : 1)];
  const step = key === "ArrowDown" ? 1 : -1;
  const own = tile.getBoundingClientRect();
  const middle = own.left + own.width / 2;
  let best, nearest = Infinity, top;
  for (let n = at + step; n >= 0 && n < all.length; n += step) {
    const box = all[n].getBoundingClientRect();
    if (Math.abs(box.top - own.top) < 2) continue;
    top ??= box.top;
    if (Math.abs(box.top - top) > 2) break;
    const away = Math.abs(box.left + box.width / 2 - middle);
    if (away < nearest) [best, nearest] = [all[n], away];
  }
  return best;
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || isElsewhere(event.target)) return;
  const tile = event.target.closest("#pictures .tile");
  const isModified = event.metaKey || event.ctrlKey;
  if (isModified && event.key.toLowerCase() === "a") chooseAll();
  else if (isModified || event.altKey) return;
  else if (event.key === "Escape" && drag?.isOn) { end(); chooseNone(); }
  else if (event.key === "Escape" && isChoosing()) chooseNone();
  else if (event.key === "Delete" && isChoosing()) bar.querySelector("[data-verb=trash]").click();
  else if (tile && boxOf(tile) && event.key.startsWith("Arrow")) {
    const next = beside(tile, event.key);
    if (event.shiftKey) anchor ??= tile;
    if (event.shiftKey && !before) [anchor, before] = [tile, new Set(chosen())];
    if (next) {
      next.querySelector("a").focus();
      if (event.shiftKey) stretch(next);
      else before = undefined;
    }
  } else if (tile && boxOf(tile) && (event.key.toLowerCase() === "x" || (event.key === " " && event.target.matches("a")))) toggle(tile);
  else return;
  event.preventDefault();
});

// --- The bar ---
bar.querySelector("[data-choose-none]").addEventListener("click", chooseNone);

// Forms with more than a thousand fields are refused, so all ids go in one. A form that asks needs none of them yet.
document.addEventListener("htmx:configRequest", (event) => {
  const { elt, parameters } = event.detail;
  if (elt.closest("#selection")) delete parameters.media;
  if (elt.closest("[data-of-chosen]")) parameters.ids = chosen().join(",");
});

function showLiked(button) {
  if (!button) return;
  button.ariaPressed = "true";
  button.form.elements.liked.value = "0";
}

const LEAVES = new Set(["trash", "purge"]);
document.addEventListener("atelier:many", ({ detail: { verb, media } }) => {
  const inTrash = !bar.querySelector("[name=visibility]");
  for (const id of media) {
    if (LEAVES.has(verb) || (verb === "restore" && inTrash)) empty(id);
    else if (verb === "restore") fill(id);
    else if (verb === "like") showLiked(document.getElementById(`like-${id}`));
  }
  if (media.length && verb !== "like") chooseNone();
});
anchor = rows.querySelector(".tile-check > :checked")?.closest(".tile"); // ticked before this was here
show();
