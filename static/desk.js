/* Keys of the desk: / search, j k rows, g h home, ? help. Loaded only where they are switched on. */
(() => {
  const help = document.getElementById("keys");
  const home = document.querySelector(".dm .brand");
  let before = "";

  const typing = (target) =>
    target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);

  const rows = () =>
    [...document.querySelectorAll("main tbody tr")]
      .map((row) => row.querySelector("a[href]"))
      .filter((link) => link && link.offsetParent);

  const step = (by) => {
    const links = rows();
    const here = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
    const next = here < 0 ? (by > 0 ? 0 : links.length - 1) : here + by;
    if (links[next]) links[next].focus();
  };

  const search = () => {
    const box = document.querySelector("main input[name=q], main input[name=code]");
    if (box) box.focus();
    return Boolean(box);
  };

  const acts = {
    "/": search,
    j: () => step(1),
    k: () => step(-1),
    "?": () => help && help.showModal(),
    gh: () => home && location.assign(home.href),
  };

  document.addEventListener("keydown", (event) => {
    const { key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (key === "Shift") return;
    if (typing(event.target) || document.querySelector("dialog[open]")) return;
    const act = acts[before + key] || acts[key];
    before = key === "g" ? "g" : "";
    if (!act) return;
    event.preventDefault();
    act();
  });
})();
