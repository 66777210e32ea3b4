/* Computes what the portal asks of an address that files often. Without it filing is only slower. */
(() => {
  const field = document.querySelector("input[data-proof]");
  if (!field || !window.Worker) return;
  const {form} = field, status = form.querySelector("[data-busy]");
  let sending = false;

  const solve = (challenge) => new Promise((done) => {
    const worker = new Worker(field.dataset.worker);
    worker.onmessage = ({data}) => done(data);
    worker.onerror = () => done(null);
    worker.postMessage({type: "work", challenge});
  });

  const prove = async () => {
    const answer = await fetch(field.dataset.proof);
    if (answer.status !== 200) return;
    const challenge = await answer.json();
    const solution = await solve(challenge);
    if (solution?.derivedKey) field.value = btoa(JSON.stringify({challenge, solution}));
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (sending) return;
    sending = true;
    status.textContent = status.dataset.busy;
    prove().catch(() => {}).finally(() => form.submit());
  });

  // Whoever comes back to the page may send it once more.
  addEventListener("pageshow", () => {
    sending = false;
    status.textContent = field.value = "";
  });
})();
