// The picture page: arrow keys walk, Escape goes back.
import "./copy.js";
import "./film.js";
import "./talk.js";
import { goBack } from "./place.js";

const back = document.querySelector("[data-back]");
back.addEventListener("click", (event) => {
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  goBack(back.href);
});

// Walking replaces the entry in the history, so that going back leads to the gallery and not through every picture seen.
function walk(way) {
  const link = document.querySelector(`[data-walk="${way}"]`);
  if (link) location.replace(link.href);
}
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-walk]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  walk(link.dataset.walk);
});

// Reached by a reload, this page stands where the gallery had opened its lightbox: going back changes the address only.
const here = location.pathname;
addEventListener("popstate", () => { if (location.pathname !== here) location.reload(); });

// Closer: in the frame that the gallery looks in, with this one picture.
const stage = document.querySelector("[data-stage]");
async function lookClosely() {
  const { lookAt } = await import("./lightbox.js");
  lookAt(stage.dataset.media, stage);
}
document.querySelector("[data-closer]")?.addEventListener("click", lookClosely);

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [popover]:popover-open")) {
    if (!(event.key === "Escape" && event.target.matches("[type=range], [type=radio]"))) return;
  }
  const isRtl = document.dir === "rtl";
  if (event.key === "ArrowLeft") walk(isRtl ? "older" : "newer");
  else if (event.key === "+" || event.key === "z") lookClosely();
  else if (event.key === "ArrowRight") walk(isRtl ? "newer" : "older");
  else if (event.key === "Escape" && !document.querySelector(":popover-open")) goBack(back.href);
});
