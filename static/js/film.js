// Filmstrips: the range over the frames shows the chosen frame on every picture of its group. Pointing is enough.

function show(film, frame) {
  const frames = Number(film.querySelector("input").max);
  film.style.setProperty("--at", frame);
  for (const overlay of film.closest("[data-film-group]").querySelectorAll("[data-sprite]")) {
    const own = Number(overlay.dataset.frames);
    const at = Math.round(((frame - 1) / (frames - 1)) * (own - 1));
    overlay.hidden = at === own - 1; // the last frame is the picture itself, which is sharper
    if (overlay.hidden) continue;
    overlay.style.backgroundImage = `url("${overlay.dataset.sprite}")`;
    overlay.style.backgroundSize = `${own * 100}% 100%`;
    overlay.style.backgroundPosition = `${(at / (own - 1)) * 100}% 0`;
  }
}

function set(film, frame) {
  film.querySelector("input").value = frame;
  show(film, frame);
}

const isFilmRange = (target) => target.matches?.("[data-film] > input");

document.addEventListener("input", (event) => {
  if (!isFilmRange(event.target)) return;
  clearInterval(event.target.parentElement.playing); // whoever takes the strip in hand stops it
  show(event.target.parentElement, Number(event.target.value));
});

// A mouse scrubs by moving over the strip; a finger or pen drags, which the range does by itself.
document.addEventListener("pointermove", (event) => {
  if (!isFilmRange(event.target) || event.pointerType !== "mouse") return;
  const film = event.target.parentElement;
  clearInterval(film.playing);
  const box = film.getBoundingClientRect();
  const along = (event.clientX - box.left) / box.width;
  const frames = Number(event.target.max);
  set(film, Math.min(frames, Math.max(1, Math.ceil(along * frames))));
});

// Left alone, a strip shows the result again, unless its page is about the strip.
function release(event) {
  if (!isFilmRange(event.target) || event.target.closest("[data-film-stays]")) return;
  set(event.target.parentElement, Number(event.target.max));
}
document.addEventListener("pointerout", release);
document.addEventListener("focusout", release);

const FRAME_MS = 120;

/** Plays the film of a group from noise to result, once; plays nothing for people who want no motion. */
export function play(group) {
  const film = group.querySelector("[data-film]");
  const frames = Number(film.querySelector("input").max);
  let frame = matchMedia("(prefers-reduced-motion: reduce)").matches ? frames : 1;
  clearInterval(film.playing);
  set(film, frame);
  film.playing = setInterval(() => {
    frame += 1;
    if (frame > frames) clearInterval(film.playing);
    else set(film, frame);
  }, FRAME_MS);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-film-play]");
  if (button) play(button.closest("[data-film-group]"));
});

document.querySelectorAll("[data-film-autoplay]").forEach(play);

// A strip may have been moved before this script was there, or been kept moved by the browser over a reload.
for (const range of document.querySelectorAll("[data-film] > input")) {
  if (range.value !== range.max) show(range.parentElement, Number(range.value));
}
