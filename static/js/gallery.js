// The gallery: coming back to the same place, and pictures of team-mates that appear while one looks.
import { placeToReturnTo, rememberPlace } from "./place.js";

const pictures = document.getElementById("pictures");
const pill = document.querySelector("[data-new-pictures]");
let pages = 1;
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.requestConfig?.path.includes("before=")) pages += 1;
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

// New ones wait behind a button, so that nothing moves under a hand: one's own in "mine", the team's in "team".
const fresh = new Set();
function offer(media) {
  for (const id of media) if (!document.getElementById(`tile-${id}`)) fresh.add(id);
  if (!fresh.size) return;
  const words = pill.querySelector("[data-words]");
  words.textContent = words.dataset.words.replace("{n}", fresh.size);
  pill.hidden = false;
}
document.addEventListener("atelier:job.done", ({ detail }) => pill.dataset.tab === "mine" && offer(detail.media));
document.addEventListener("atelier:media.added", ({ detail }) => {
  if (pill.dataset.tab === "team" && detail.team === pill.dataset.team) offer(detail.media);
});

document.addEventListener("atelier:media.removed", ({ detail }) => {
  for (const id of detail.media) {
    const tile = document.getElementById(`tile-${id}`);
    // One's own delete waits for its answer, which empties the tile and offers the Undo.
    if (!tile?.querySelector(".htmx-request")) tile?.replaceChildren();
  }
});
