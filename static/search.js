/* Offers firms while a name is typed. Without it the search works just as well. */
(() => {
  const box = document.querySelector("input[data-hints]");
  const list = box && document.getElementById(box.getAttribute("list"));
  if (!list) return;
  let waiting, asked;

  const show = (firms) => list.replaceChildren(...firms.map(({code, name}) => {
    const option = document.createElement("option");
    option.value = code;
    option.label = `${name} ${code}`;
    return option;
  }));

  const ask = async () => {
    const text = box.value.trim();
    if (text.length < 2 || text === asked) return;
    asked = text;
    const answer = await fetch(`${box.dataset.hints}?q=${encodeURIComponent(text)}`);
    if (answer.ok && asked === text) show((await answer.json()).firms);
  };

  box.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => ask().catch(() => show([])), 250);
  });
})();
