/* Keeps what is typed into a draft, a moment after each pause. Without it a button does the same. */
(() => {
  const form = document.querySelector("form[data-keep]");
  const told = form && form.querySelector("[data-kept]");
  if (!told) return;
  let waiting, busy, again, over;

  const typed = () => {
    const data = new FormData(form);
    for (const box of form.querySelectorAll("input[autocomplete=off]")) data.delete(box.name);
    data.delete("csrfmiddlewaretoken");
    data.set("act", "keep");
    return data;
  };

  const send = async () => {
    const answer = await fetch(location.href, {
      method: "POST",
      body: typed(),
      headers: { Accept: "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
      redirect: "manual", // signed out: not the page that signs in
    });
    const kept = await answer.json();
    told.textContent = kept.words;
    if (kept.stamp) form.elements.stamp.value = kept.stamp;
    over = answer.status === 409; // another window: this one overwrites nothing
  };

  const keep = async () => {
    if (over) return;
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    await send().catch(() => (told.textContent = form.dataset.keep));
    busy = false;
    if (again) later();
    again = false;
  };

  const later = () => {
    clearTimeout(waiting);
    waiting = setTimeout(keep, 2000);
  };

  form.addEventListener("input", later);
  form.addEventListener("change", later);
  form.addEventListener("submit", () => {
    over = true;
    clearTimeout(waiting);
  });
})();
