/* Computes what the portal asks of an address that files often. Without it filing is only slower. */
(() => {
  const field = document.querySelector("input[data-proof]");
  if (!field || !window.Worker) return;
  const {form} = field, status = form.querySelector("[data-busy]");
  let asked = false, sending = false;

  const ask = async () => {
    const answer = await fetch(field.dataset.proof);
    return answer.status === 200 ? answer.json() : null;
  };

  const solve = (challenge) => new Promise((done) => {
    const worker = new Worker(field.dataset.worker);
    worker.onmessage = ({data}) => done(data);
    worker.onerror = () => done(null);
    worker.postMessage({type: "work", challenge});
  });

  const prove = async () => {
    const challenge = await ask();
    const solution = challenge && await solve(challenge);
    if (solution?.derivedKey) field.value = btoa(JSON.stringify({challenge, solution}));
  };

  form.addEventListener("submit", (event) => {
    if (!asked) return;
    event.preventDefault();
    if (sending) return;
    sending = true;
    status.textContent = status.dataset.busy;
    prove().catch(() => {}).finally(() => form.submit());
  });

  // Also for whoever comes back to the page: a proof counts once.
  addEventListener("pageshow", () => {
    sending = false;
    status.textContent = field.value = "";
    ask().then((challenge) => { asked = Boolean(challenge); }).catch(() => {});
  });
})();
