// The Export page: every crop as it will be, moved by hand or by keys, with what is laid over it.

const form = document.querySelector("[data-export]");
const template = form?.querySelector("[data-crop-template]");
const field = (name) => form.elements.namedItem(name);
const STEP = 0.02;
const FAR = 0.1;
const SLACK = 0.98; // as the server: gallery/export/crop.py
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const points = new Map(); // "media:channel" -> [x, y]
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const chosen = () => [...form.querySelectorAll("[name=channel]:checked")];

// --- One crop -------------------------------------------------------------------------------------------------------

// The crop's sides in shares of the picture's: at least one of them is 1.
function shares(picture, channel) {
  const width = Number(picture.dataset.width);
  const height = Number(picture.dataset.height);
  const ratio = channel.dataset.width ? channel.dataset.width / channel.dataset.height : width / height;
  return width / height > ratio ? [(height * ratio) / width, 1] : [1, width / ratio / height];
}

function crop(picture, channel) {
  const figure = template.content.cloneNode(true).firstElementChild;
  const frame = figure.querySelector(".crop-frame");
  const { name, width, height, top, bottom, sides } = channel.dataset;
  const ratio = width ? width / height : picture.dataset.width / picture.dataset.height;
  figure.dataset.channel = channel.value;
  figure.style.setProperty("--ratio", ratio);
  for (const [side, value] of Object.entries({ top, bottom, sides })) figure.style.setProperty(`--safe-${side}`, value);
  frame.setAttribute("aria-label", frame.dataset.label.replace("{channel}", name));
  frame.classList.toggle("has-safe", Number(top) + Number(bottom) + Number(sides) > 0);
  frame.querySelector("img").src = picture.dataset.src;
  figure.querySelector("figcaption > span").textContent = name;
  figure.querySelector("[data-size]").textContent = width ? `${width} × ${height}` : "";
  const small = figure.querySelector("[data-small]");
  const [shareX] = shares(picture, channel);
  const scale = width ? width / (picture.dataset.width * shareX) : 1;
  small.hidden = scale * SLACK <= 1;
  small.textContent = small.dataset.words.replace("{x}", scale.toFixed(1));
  listen(frame, picture, channel);
  place(frame, picture, channel);
  layers(frame);
  return figure;
}

// object-position counts from where the crop touches one edge to where it touches the other.
function place(frame, picture, channel) {
  const [x, y] = points.get(key(picture, channel)) ?? [0.5, 0.5];
  const [shareX, shareY] = shares(picture, channel);
  const at = (focus, share) => (share >= 1 ? 0.5 : clamp((focus - share / 2) / (1 - share), 0, 1));
  frame.querySelector("img").style.objectPosition = `${at(x, shareX) * 100}% ${at(y, shareY) * 100}%`;
}

const key = (picture, channel) => `${picture.dataset.picture}:${channel.value}`;

function move(frame, picture, channel, x, y) {
  const [shareX, shareY] = shares(picture, channel);
  const within = (focus, share) => clamp(focus, share / 2, 1 - share / 2);
  points.set(key(picture, channel), [within(x, shareX), within(y, shareY)]);
  place(frame, picture, channel);
}

function listen(frame, picture, channel) {
  const now = () => points.get(key(picture, channel)) ?? [0.5, 0.5];
  frame.addEventListener("keydown", (event) => {
    const way = KEYS[event.key];
    if (!way && event.key !== "Home") return;
    event.preventDefault();
    const step = event.shiftKey ? FAR : STEP;
    const [x, y] = now();
    if (way) move(frame, picture, channel, x + way[0] * step, y + way[1] * step);
    else move(frame, picture, channel, 0.5, 0.5);
    say(frame, now());
    keep(picture, channel);
  });
  frame.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    frame.setPointerCapture(event.pointerId);
    const from = { x: event.clientX, y: event.clientY, at: now() };
    const box = frame.getBoundingClientRect();
    const [shareX, shareY] = shares(picture, channel);
    const drag = (moved) => {
      const x = from.at[0] - ((moved.clientX - from.x) / box.width) * shareX;
      const y = from.at[1] - ((moved.clientY - from.y) / box.height) * shareY;
      move(frame, picture, channel, x, y);
    };
    frame.addEventListener("pointermove", drag);
    const end = () => {
      frame.removeEventListener("pointermove", drag);
      keep(picture, channel);
    };
    frame.addEventListener("pointerup", end, { once: true });
    frame.addEventListener("pointercancel", end, { once: true });
  });
}

function say(frame, [x, y]) {
  const words = frame.dataset.at.replace("{x}", Math.round(x * 100)).replace("{y}", Math.round(y * 100));
  form.querySelector("[data-said]").textContent = words;
}

// Kept on the server a moment after the last movement, and in the form in any case.
const waiting = new Map();
function keep(picture, channel) {
  const id = key(picture, channel);
  field("focus").value = JSON.stringify(Object.fromEntries(points));
  weigh();
  clearTimeout(waiting.get(id));
  waiting.set(id, setTimeout(() => {
    const [x, y] = points.get(id);
    const body = new URLSearchParams({ media: picture.dataset.picture, channel: channel.value, x: x.toFixed(4), y: y.toFixed(4) });
    fetch(form.dataset.focus, { method: "POST", body, headers: { "X-CSRFToken": field("csrfmiddlewaretoken").value } });
  }, 400));
}

// --- What is laid over ----------------------------------------------------------------------------------------------

const faces = new Map();
function face(id) {
  if (!id) return "var(--font)";
  if (!faces.has(id)) {
    const option = form.querySelector(`[name=text_font] option[value="${id}"]`);
    const font = new FontFace(`brand-${id}`, `url(${option.dataset.src})`);
    document.fonts.add(font);
    font.load().catch(() => {});
    faces.set(id, font);
  }
  return `"brand-${id}", var(--font)`;
}

function layers(frame) {
  const logo = frame.querySelector("[data-layer=logo]");
  const box = field("logo");
  logo.replaceChildren();
  if (box?.checked) {
    const image = new Image();
    image.alt = "";
    image.onload = () => image.classList.toggle("is-tall", image.naturalHeight > image.naturalWidth);
    image.src = box.dataset.logo;
    image.style.setProperty("--size", field("logo_size").value || 18);
    logo.dataset.place = field("logo_place").value;
    logo.append(image);
  }
  const words = frame.querySelector("[data-layer=text]");
  words.replaceChildren();
  if (field("text").value.trim()) {
    const line = document.createElement("span");
    line.textContent = field("text").value.trim();
    line.style.cssText = `--size: ${Number(field("text_size").value) || 8}; color: ${field("text_colour").value}; font-family: ${face(field("text_font").value)}`;
    if (field("text_shade").value) {
      line.style.background = field("text_shade").value;
      line.classList.add("has-shade");
    }
    words.dataset.place = field("text_place").value;
    words.append(line);
  }
}

// --- All of them ----------------------------------------------------------------------------------------------------

function fill(picture) {
  const row = picture.querySelector(".crop-row");
  const wanted = chosen();
  const there = new Map([...row.children].map((figure) => [figure.dataset.channel, figure]));
  row.replaceChildren(...wanted.map((channel) => there.get(channel.value) ?? crop(picture, channel)));
}

// A picture far below is filled when it comes near: there may be hundreds.
const near = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    target.dataset.near = isIntersecting ? "1" : "";
    if (isIntersecting) fill(target);
  }
  weigh();
}, { rootMargin: "600px" });

// A worker says what the first crops weigh, a moment after the last change.
let asked;
let asking;
function weigh() {
  clearTimeout(asking);
  asking = setTimeout(async () => {
    const near = [...form.querySelectorAll("[data-near='1']")].slice(0, 4).map((picture) => picture.dataset.picture);
    const body = new FormData(form);
    body.delete("media");
    for (const media of near) body.append("media", media);
    if (!near.length || !chosen().length) return;
    const response = await fetch(form.dataset.sizes, { method: "POST", body });
    if (response.ok) asked = (await response.json()).token;
  }, 700);
}

const human = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
document.addEventListener("atelier:export.weighed", ({ detail }) => {
  if (!form || (asked && detail.token !== asked)) return;
  for (const figure of form.querySelectorAll(".crop")) {
    const bytes = detail.weights[`${figure.closest("[data-picture]").dataset.picture}:${figure.dataset.channel}`];
    figure.querySelector("[data-weight]").textContent = bytes ? `≈ ${human(bytes)}` : "";
  }
});

function count() {
  const pictures = [...form.querySelectorAll("[data-picture]")];
  const channels = chosen();
  const isSmall = (picture, channel) =>
    channel.dataset.width && (channel.dataset.width / (picture.dataset.width * shares(picture, channel)[0])) * SLACK > 1;
  const small = pictures.flatMap((picture) => channels.filter((channel) => isSmall(picture, channel))).length;
  const total = pictures.length * channels.length - (field("enlarge").checked ? 0 : small);
  const words = form.querySelector("[data-submit]");
  words.textContent = total === 1 ? words.dataset.one : words.dataset.many.replace("{n}", total);
  const note = form.querySelector("[data-small-note]");
  note.hidden = !small;
  note.textContent = note.dataset.words.replace("{n}", small);
  form.querySelector("[type=submit]").disabled = !total;
}

if (form) {
  for (const picture of form.querySelectorAll("[data-picture]")) {
    for (const [channel, point] of Object.entries(JSON.parse(picture.dataset.points))) points.set(`${picture.dataset.picture}:${channel}`, point);
  }
  for (const [id, point] of Object.entries(JSON.parse(field("focus").value || "{}"))) points.set(id, point);
  for (const picture of form.querySelectorAll("[data-picture]")) near.observe(picture);
  form.addEventListener("input", ({ target }) => {
    if (target.name === "channel") {
      for (const picture of form.querySelectorAll("[data-near='1']")) fill(picture);
    } else if (/^(logo|text)/.test(target.name)) {
      for (const frame of form.querySelectorAll(".crop-frame")) layers(frame);
    }
    count();
    weigh();
  });
  for (const button of form.querySelectorAll("[data-token]")) {
    button.addEventListener("click", () => {
      const naming = field("naming");
      naming.setRangeText(`{${button.dataset.token}}`, naming.selectionStart, naming.selectionEnd, "end");
      naming.focus();
    });
  }
  count();
}
