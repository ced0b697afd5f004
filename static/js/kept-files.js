// Files that are on their way up, kept by the browser until they have arrived, so that a reload goes on by itself.
// Where a browser keeps none (private windows), the page asks for the same files again.

const open = () => new Promise((done, fail) => {
  const request = indexedDB.open("atelier-import", 1);
  request.onupgradeneeded = () => request.result.createObjectStore("files", { keyPath: "id" }).createIndex("upload", "upload");
  request.onsuccess = () => done(request.result);
  request.onerror = () => fail(request.error);
});

async function inStore(mode, act) {
  const base = await open();
  return new Promise((done, fail) => {
    const change = base.transaction("files", mode);
    const request = act(change.objectStore("files"));
    change.oncomplete = () => { base.close(); done(request?.result); };
    change.onerror = change.onabort = () => { base.close(); fail(change.error); };
  });
}

export async function keepFile(upload, id, file) {
  await inStore("readwrite", (store) => store.put({ id, upload, file })).catch(() => {});
}

/** [id, File] of each that had not arrived. */
export async function keptFiles(upload) {
  const kept = await inStore("readonly", (store) => store.index("upload").getAll(upload)).catch(() => []);
  return kept.map((one) => [one.id, one.file]);
}

export async function forgetFiles(upload) {
  for (const [id] of await keptFiles(upload)) await inStore("readwrite", (store) => store.delete(id)).catch(() => {});
}
