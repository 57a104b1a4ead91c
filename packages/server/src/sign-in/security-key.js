// The one script of this server: it asks a security key for what a form of the page carries in `data-options`, puts the
// answer into the form, and sends it. Without it the pages work by codes.
const SENTENCES = {
  InvalidStateError: 'This security key is registered already.',
  NotAllowedError: 'No security key answered: it was cancelled, took too long, or is none of yours. Try again.',
  SecurityError: 'Security keys do not work at this address of the server.',
};

const ask = (kind, options) =>
  kind === 'create'
    ? navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
    : navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });

const impediment = (origin) => {
  if (location.origin !== origin) return `Security keys work only where this page is opened at ${origin}.`;
  const isKnown = typeof globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON === 'function';
  return isKnown ? null : 'This browser is too old for security keys here. Update it, or use a code.';
};

const serve = (form) => {
  const button = form.querySelector('button');
  const told = form.querySelector('[role=status]');
  const { key: kind, options, origin } = form.dataset;
  const prevented = impediment(origin);
  form.hidden = false;
  button.disabled = prevented !== null;
  told.textContent = prevented ?? '';
  const send = async () => {
    button.disabled = true;
    told.textContent = 'Touch your security key …';
    try {
      const credential = await ask(kind, JSON.parse(options));
      form.elements.namedItem('credential').value = JSON.stringify(credential.toJSON());
      form.submit();
    } catch (fault) {
      button.disabled = false;
      told.textContent = SENTENCES[fault.name] ?? `The security key could not be used: ${fault.message}`;
    }
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!button.disabled) send();
  });
};

for (const form of document.querySelectorAll('form[data-key]')) serve(form);
