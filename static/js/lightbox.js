// Looking at pictures one by one without leaving the place in the gallery. The address is the picture's own: a reload, or
// whoever gets it, sees its page. What is done to a picture is done by the buttons of its tile.
import { zoomable } from "./zoom.js";

const STEP = 1.5;
const PAN = 80; // pixels
const KEPT = 12; // pictures that were looked at, or may be next
const INFO = "atelier:lightbox-info";

document.body.append(document.getElementById("lightbox-frame").content.cloneNode(true));
const box = document.getElementById("lightbox");
const part = (name) => box.querySelector(`[data-${name}]`);
const button = (verb) => box.querySelector(`[data-do="${verb}"]`);
const facts = box.querySelector(".lightbox-facts");
const rest = document.querySelectorAll(".shell, .skip");
const isRtl = document.documentElement.dir === "rtl";

let current; // { id, link, tile }; the picture page has no tile
let opener; // what had the focus
let hasEntry = false; // whether the address in the history is ours to take back

const stage = zoomable(part("stage"), {
  closer: sharpen,
  swipe(way) {
    if (way === "down") close();
    else go((way === "left") !== isRtl ? 1 : -1);
  },
});

// --- What is shown ---
const known = new Map(); // id -> promise of a fragment

function fetchLook(id) {
  if (!known.has(id)) {
    known.set(id, load(id).catch((error) => { known.delete(id); throw error; }));
    for (const old of [...known.keys()].slice(0, -KEPT)) known.delete(old);
  }
  return known.get(id);
}

async function load(id) {
  const response = await fetch(`/gallery/${id}/look/`, { headers: { "HX-Request": "true" } });
  if (response.redirected) location.reload();
  if (!response.ok) throw new Error(response.status);
  const holder = document.createElement("template");
  holder.innerHTML = await response.text();
  const look = document.importNode(holder.content, true); // its picture begins to load
  const picture = look.querySelector("[data-look=picture]");
  return { picture, facts: look.querySelector("[data-look=facts]") };
}

// The tile's own small picture stands in until the large one can be painted at once.
function standIn(tile) {
  const small = tile?.querySelector("img");
  const figure = document.createElement("figure");
  figure.className = "look-picture";
  if (small) {
    figure.style.setProperty("--ratio", small.getAttribute("width") / small.getAttribute("height"));
    figure.style.setProperty("--widest", `${small.getAttribute("width")}px`);
    const img = new Image();
    [img.src, img.alt] = [small.currentSrc || small.src, small.alt];
    img.draggable = false;
    figure.append(img);
  }
  return figure;
}

async function show(next) {
  current = next;
  const { id, link, tile } = next;
  part("title").textContent = tile?.querySelector("img").alt ?? "";
  part("said").textContent = part("title").textContent;
  if (part("page")) part("page").href = link;
  stage.replace(standIn(tile));
  follow();
  let look;
  try {
    look = await fetchLook(id);
    await look.picture.querySelector("img").decode().catch(() => {});
  } catch {
    return;
  }
  if (current !== next) return;
  if (!stage.isZoomed) stage.replace(look.picture);
  facts.replaceChildren(look.facts);
  htmx.process(facts);
  preload();
}

// Enlarged, the original itself: nothing is lost to a smaller version.
async function sharpen() {
  const at = current;
  const look = await fetchLook(at.id).catch(() => null);
  const source = look?.picture.querySelector("source");
  if (!source) return;
  const original = new Image();
  original.src = look.picture.dataset.original;
  await original.decode().catch(() => {});
  if (current !== at || !original.naturalWidth) return;
  const img = look.picture.querySelector("img");
  source.remove();
  img.removeAttribute("srcset");
  img.src = original.src;
}

function preload() {
  for (const step of [1, -1, 2]) {
    const tile = beside(step);
    if (tile) fetchLook(tile.dataset.media).catch(() => {});
  }
  if (!beside(3)) loadMore();
}

// The state of the tile's own buttons.
function follow() {
  if (!button("like")) return;
  const { tile } = current;
  const like = tile.querySelector(".like button");
  button("like").ariaPressed = like?.ariaPressed ?? "false";
  button("delete").hidden = !deleteOf(tile);
  button("previous").disabled = !beside(-1);
  button("next").disabled = !beside(1) && !more();
}
document.addEventListener("htmx:afterSettle", () => box.hidden || !current?.tile || follow());

const likeOf = (tile) => tile.querySelector(".like button");
const deleteOf = (tile) => tile.querySelector("form[action$='/trash/'] button");

// --- The way from one to another ---
const all = () => [...document.querySelectorAll("#pictures > .tile:has(> a[data-picture])")];
const more = () => document.querySelector("#pictures > .rows-next");

function beside(step) {
  if (!current?.tile) return undefined;
  const tiles = all();
  const at = tiles.indexOf(current.tile);
  if (at >= 0) return tiles[at + step];
  // It has been deleted meanwhile: its seat still says where it was.
  const seats = [...document.querySelectorAll("#pictures > .tile")];
  const place = seats.indexOf(current.tile);
  const side = step > 0 ? seats.slice(place + 1) : seats.slice(0, place).reverse();
  return side.filter((seat) => tiles.includes(seat))[Math.abs(step) - 1];
}

// The next page comes by itself when its end is near in the page below; here it is asked for, once.
let loading;
function loadMore() {
  const next = more();
  if (!next) return undefined;
  loading ??= new Promise((done) => {
    const settled = (event) => {
      if (next.isConnected && event.detail.successful !== false) return;
      for (const type of ["htmx:afterSettle", "htmx:afterRequest"]) document.removeEventListener(type, settled);
      loading = undefined;
      follow();
      done();
    };
    for (const type of ["htmx:afterSettle", "htmx:afterRequest"]) document.addEventListener(type, settled);
    if (!next.classList.contains("htmx-request")) htmx.trigger(next, "intersect");
  });
  return loading;
}

const entry = (tile) => {
  const link = tile.querySelector("a[data-picture]").href;
  return { id: tile.dataset.media, link, tile };
};

async function go(step) {
  if (!beside(step) && step > 0) await loadMore();
  const tile = beside(step);
  if (!tile || box.hidden) return;
  const next = entry(tile);
  history.replaceState({ lightbox: next.id }, "", next.link);
  tile.scrollIntoView({ block: "nearest", behavior: "instant" });
  show(next);
}

function reveal(next) {
  opener = document.activeElement;
  box.hidden = false;
  for (const element of rest) element.inert = true;
  toggleFacts(sessionStorage.getItem(INFO) === "1");
  show(next);
  box.focus({ preventScroll: true });
}

/** Opens the picture of a tile of this page. */
export function open(tile) {
  const next = entry(tile);
  history.pushState({ lightbox: next.id }, "", next.link);
  hasEntry = true;
  reveal(next);
}

/** Looks closely at the one picture that this page is about; `small` shows it already. */
export function lookAt(id, small) {
  reveal({ id, link: location.href, tile: small });
}

export function close() {
  if (hasEntry) history.back();
  else hide();
}

function hide() {
  if (box.hidden) return;
  box.hidden = true;
  hasEntry = false;
  for (const element of rest) element.inert = false;
  (current.tile?.querySelector("a[data-picture]") ?? opener)?.focus({ preventScroll: true });
  if (current.tile?.matches(".tile")) current.tile.scrollIntoView({ block: "nearest", behavior: "instant" });
}

addEventListener("popstate", (event) => {
  const tile = event.state?.lightbox && document.getElementById(`tile-${event.state.lightbox}`);
  if (tile?.querySelector("a[data-picture]")) {
    hasEntry = true;
    reveal(entry(tile));
  } else hide();
});

// --- What can be done ---
function toggleFacts(isShown = facts.hidden) {
  facts.hidden = !isShown;
  button("info").ariaPressed = String(isShown);
  sessionStorage.setItem(INFO, isShown ? "1" : "");
}

const verbs = {
  close,
  previous: () => go(-1),
  next: () => go(1),
  in: () => stage.by(STEP),
  out: () => stage.by(1 / STEP),
  info: () => toggleFacts(),
  like: () => likeOf(current.tile)?.click(),
  album: () => current.tile.querySelector("[hx-get*='/albums/']")?.click(),
  delete() {
    const doomed = deleteOf(current.tile);
    if (!doomed) return;
    doomed.click();
    if (beside(1)) go(1);
    else if (beside(-1)) go(-1);
    else close();
  },
};

box.addEventListener("click", (event) => {
  const verb = event.target.closest("[data-do]")?.dataset.do;
  if (verb) verbs[verb]();
});

const KEYS = {
  "+": "in", "=": "in", "-": "out", i: "info", l: "like", a: "album", d: "delete", Delete: "delete",
};

// In the capture phase, and also while nothing has the focus: what had it may have gone, an Undo for instance.
document.addEventListener("keydown", (event) => {
  if (box.hidden || event.metaKey || event.ctrlKey || event.altKey) return;
  if (event.target !== document.body && !box.contains(event.target)) return;
  const arrow = { ArrowLeft: [-PAN, 0], ArrowRight: [PAN, 0], ArrowUp: [0, -PAN], ArrowDown: [0, PAN] }[event.key];
  const verb = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
  if (event.key === "Escape") {
    if (stage.isZoomed) stage.fit();
    else close();
  } else if (arrow && stage.isZoomed) stage.move(...arrow);
  else if (event.key === "ArrowLeft") go(isRtl ? 1 : -1);
  else if (event.key === "ArrowRight") go(isRtl ? -1 : 1);
  else if (event.key === " " && !event.target.closest("button, a, aside")) go(event.shiftKey ? -1 : 1);
  else if (event.key === "Enter" && !event.target.closest("button, a") && part("page")) location.assign(current.link);
  else if (event.key === "0") stage.fit();
  else if (verb && button(verb)) verbs[verb]();
  else return;
  event.preventDefault();
  event.stopPropagation();
}, true);
