// Sends the file of a model in pieces. Chosen first, sent when the form is saved; a lost piece is asked for again.
const PIECE = 4 * 1024 * 1024;
const box = document.querySelector("[data-upload]");
const form = document.getElementById("intake_form");
const input = box?.querySelector("input[type=file]");
const said = box?.querySelector("[data-said]");
const bar = box?.querySelector("progress");
const field = (name) => form.elements.namedItem(name);

input?.addEventListener("change", () => {
  const [file] = input.files;
  if (!file) return;
  field("origin").value = "upload";
  field("place").value = file.name;
  field("size").value = file.size;
  if (!field("name").value) field("name").value = file.name.replace(/\.[^.]+$/, "");
});

form?.addEventListener("submit", async (event) => {
  const [file] = input.files;
  if (!file || field("origin").value !== "upload") return;
  event.preventDefault();
  const answer = await fetch(form.action || location.href, {
    method: "POST",
    body: new FormData(form),
    headers: { Accept: "application/json" },
  });
  if (!answer.headers.get("Content-Type")?.includes("json")) return form.submit(); // its mistakes are shown by the page
  const { piece, then } = await answer.json();
  await send(file, piece);
  location.href = then;
});

async function send(file, address) {
  const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
  bar.hidden = false;
  for (let there = 0; there < file.size; ) {
    try {
      const answer = await fetch(address, {
        method: "POST",
        headers: { "X-CSRFToken": token, "Upload-Offset": there, "Content-Type": "application/octet-stream" },
        body: file.slice(there, there + PIECE),
      });
      const told = await answer.json();
      if (!answer.ok) throw new Error(told.reason);
      there = told.there;
      said.textContent = `${Math.round((100 * there) / file.size)} %`;
      bar.value = (100 * there) / file.size;
    } catch {
      said.textContent = box.dataset.lost;
      await new Promise((done) => setTimeout(done, 3000));
      there = (await fetch(address).then((answer) => answer.json(), () => ({ there }))).there;
    }
  }
}
