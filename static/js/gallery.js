// The gallery: coming back to the same place, pictures of team-mates that appear while one looks, and filters.
import { placeToReturnTo, rememberPlace } from "./place.js";

let isLooking = false;
const frame = document.getElementById("lightbox-frame");
const pictures = document.getElementById("pictures");
const pill = document.querySelector("[data-new-pictures]");
let pages = 1;
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.successful && detail.requestConfig.path.includes("before=")) pages += 1;
});
rememberPlace(() => pages);

// A browser that kept the whole page needs no help; otherwise the pages that were loaded are loaded again, then the place is found.
async function returnTo(place) {
  history.scrollRestoration = "manual";
  for (let n = 1; n < place.pages; n += 1) {
    const next = pictures?.querySelector(".rows-next");
    if (!next) break;
    await htmx.ajax("GET", next.getAttribute("hx-get"), { source: next, target: next, swap: "outerHTML" });
  }
  scrollTo({ top: place.y, behavior: "instant" });
}
const place = placeToReturnTo();
if (place) returnTo(place);

// --- What others do ---
// New ones come in by themselves while one looks at the top and has nothing in hand; otherwise they wait behind a button,
// so that nothing moves under a hand. An event says only that it is time to ask: which pictures are new is what the server
// answers, so that filters hold, and what came before the socket was there, or while it was lost, is not missed.
const GATHER_MS = 300;
const AT_TOP = 80; // pixels
let fresh = 0;
let asking;
const isBusy = () =>
  pages > 1 || scrollY > AT_TOP || document.hidden || document.querySelector(".lightbox:not([hidden])") ||
  (pictures ? pictures.matches(".is-choosing, :hover") || pictures.contains(document.activeElement)
    : filters.contains(document.activeElement));

function ask() {
  if (!pill?.dataset.first) return; // not the first page
  asking ??= setTimeout(async () => {
    asking = undefined;
    const response = await fetch(pill.dataset.first).catch(() => null);
    if (!response?.ok || response.redirected) return;
    const { media, team } = await response.json();
    if (team !== pill.dataset.team) return; // another one was chosen in another window
    const isHere = (id) => document.getElementById(`tile-${id}`);
    // What stands below all that is shown has only moved up, because something above it went.
    const above = media.slice(0, media.findLastIndex(isHere) + 1 || undefined);
    offer(above.filter((id) => !isHere(id)).length);
  }, GATHER_MS);
}

function offer(count) {
  fresh = count;
  if (fresh && !isBusy()) return renew({ byItself: true });
  const words = pill.querySelector("[data-words]");
  words.textContent = words.dataset.words.replace("{n}", fresh);
  pill.hidden = !fresh;
}

// The first page as it is now. Pictures that are there stay the nodes they were, and only move.
async function renew({ byItself = false } = {}) {
  if (!pictures) return location.reload();
  const response = await fetch(location.href).catch(() => null);
  const page = response?.ok ? new DOMParser().parseFromString(await response.text(), "text/html") : undefined;
  const rows = page?.getElementById("pictures");
  if (byItself && isBusy()) return offer(fresh); // a hand came while it was asked
  if (!rows) return location.reload();
  for (const seat of rows.querySelectorAll(":scope > .tile")) {
    const same = document.getElementById(seat.id);
    if (!same?.childElementCount) continue;
    same.style.cssText = seat.style.cssText;
    seat.replaceWith(same);
  }
  pictures.replaceChildren(...rows.childNodes);
  htmx.process(pictures);
  pages = 1;
  offer(0);
}

pill?.querySelector("a").addEventListener("click", (event) => {
  if (!pictures || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  scrollTo({ top: 0, behavior: "instant" });
  renew();
});
document.addEventListener("atelier:job.done", () => pill?.dataset.tab === "mine" && ask());
document.addEventListener("atelier:media.added", ({ detail }) => {
  if (pill?.dataset.tab === "team" && detail.team === pill.dataset.team) ask();
});
document.addEventListener("atelier:connected", () => pill?.dataset.sort === "newest" && ask());
document.addEventListener("visibilitychange", () => fresh && offer(fresh)); // one comes back to the page

document.addEventListener("atelier:media.removed", async ({ detail }) => {
  const { empty, seatOf } = await import("./seats.js");
  for (const id of detail.media) {
    // One's own delete waits for its answer, which empties the tile and offers the Undo.
    if (!seatOf(id)?.querySelector(".htmx-request")) empty(id);
  }
});

// What has changed, or come back, is asked for; what one may not see any more leaves its seat.
const MOST_ASKED = 24;
document.addEventListener("atelier:media.changed", async ({ detail }) => {
  if (!pill) return;
  const { empty, seatOf } = await import("./seats.js");
  for (const id of detail.media.slice(0, MOST_ASKED)) {
    const seat = seatOf(id);
    if (!seat || seat.querySelector(".htmx-request")) continue;
    const response = await fetch(`/gallery/${id}/tile/${location.search}`, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (response?.status === 404) empty(id);
    if (!response?.ok || response.redirected || seat.contains(document.activeElement)) continue;
    const isChosen = seat.querySelector(".tile-check > :checked");
    seat.innerHTML = await response.text();
    if (isChosen) seat.querySelector(".tile-check > input").checked = true;
    htmx.process(seat);
  }
});

// A picture opens above the page. Without scripts, or in a new tab, its link leads to its own page.
document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("#pictures.is-choosable > .tile > a[data-picture]");
  if (!link || !frame || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  const { open } = await import("./lightbox.js");
  isLooking = true; // from here on it follows the history itself
  open(link.parentElement);
});
const here = location.pathname;
addEventListener("popstate", () => { if (!isLooking && location.pathname !== here) location.reload(); });

// Choosing is loaded when a hand or a key comes near the pictures. A key that was for it and came before it is given again.
let isLoaded = false;
let loading;
const load = () => (loading ??= import("./select.js").then(() => { isLoaded = true; }));
if (pictures) {
  for (const type of ["pointerover", "pointerdown", "focusin"]) pictures.addEventListener(type, load, { once: true, passive: true });
  document.addEventListener("keydown", async (event) => {
    if (isLoaded || event.defaultPrevented || !/^(x|a| |Arrow.*)$/i.test(event.key)) return;
    await load();
    event.target.dispatchEvent(new KeyboardEvent("keydown", event));
  });
}

// --- Filters: addresses without empty parts, "/" to the search field, and where the focus goes in saved searches ---
const filters = document.querySelector("[data-filters]"); // the trash has none

// What was left at "any" is not sent. The fields come back when the page does.
filters?.addEventListener("submit", (event) => {
  for (const field of event.target.querySelectorAll("input[name], select[name]")) if (!field.value) field.disabled = true;
});
addEventListener("pageshow", () => {
  for (const field of filters?.querySelectorAll(":disabled") ?? []) field.disabled = false;
});

document.addEventListener("keydown", (event) => {
  if (!filters || event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  event.preventDefault();
  filters.querySelector("input[type=search]").select();
});

// Saving, changing or deleting a search replaces their list, and with it the button that was pressed.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.id !== "saved-list") return;
  if (document.activeElement !== document.body) return; // it is somewhere already
  const menu = filters.querySelector("[data-saved]");
  (menu.open ? document.getElementById("saved-list") : menu.querySelector("summary")).focus();
});
