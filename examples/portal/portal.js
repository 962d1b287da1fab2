// A page of your own portal that shows one promotion. All it needs is the published client and a token that may read.
import { connect, followLive, LiveRefused, readPromotion } from '@proviso/client';

/** The newest entries; older ones are in the promotion's history. */
const entriesMax = 20;

const element = (id) => document.getElementById(id);

element('connect').addEventListener('submit', (event) => {
  event.preventDefault();
  const { api, token, promotion } = Object.fromEntries(new FormData(event.target));
  element('connect').hidden = true;
  show({ connection: { baseUrl: api, token }, promotion }).catch(tellTrouble);
});

/** Follows first and reads then, so that nothing falls between the two. */
async function show({ connection, promotion }) {
  const client = connect(connection);
  const refresh = refresher(async () => {
    const { data, error, response } = await readPromotion({ client, path: { id: promotion } });
    if (error !== undefined) throw new Error(`expected the promotion, got ${response?.status ?? 'no answer'}`);
    draw(data);
  });
  await followLive({
    ...connection,
    signal: new AbortController().signal,
    onLine: (open) => {
      element('line').textContent = open ? 'live' : 'not connected, trying again';
      element('line').className = open ? 'live' : 'broken';
      if (open) refresh();
    },
    onReset: refresh,
    onEntry: (entry) => {
      if (entry.streamId !== promotion) return;
      drawEntry(entry);
      refresh();
    },
  });
}

/** Reads one after another: however many entries come at once, one read more shows them all. */
function refresher(read) {
  let reading = false;
  let again = false;
  return async function refresh() {
    again = true;
    if (reading) return;
    reading = true;
    while (again) {
      again = false;
      // Offline: the line comes back, and with it the next read.
      await read().catch((error) => console.warn(error.message));
    }
    reading = false;
  };
}

/** Everything is set as text: titles and reasons were written by others. */
function draw({ headline, state, gates }) {
  element('promotion').hidden = false;
  element('headline').textContent = headline;
  element('promotion').dataset.state = state;
  element('gates').replaceChildren(...gates.map(({ name, status }) => line(`${name}: ${status.replaceAll('_', ' ')}`, status)));
}

function drawEntry({ kind, at, id }) {
  const item = line(`${new Date(at).toLocaleTimeString()} ${kind.replaceAll('_', ' ')}`, 'entry');
  Object.assign(item.dataset, { id, kind });
  element('entries').prepend(item);
  while (element('entries').childElementCount > entriesMax) element('entries').lastElementChild.remove();
}

function line(text, className) {
  const item = document.createElement('li');
  item.textContent = text;
  item.className = className;
  return item;
}

function tellTrouble(error) {
  element('connect').hidden = false;
  element('trouble').hidden = false;
  element('trouble').textContent =
    error instanceof LiveRefused ? 'This token may not read here.' : 'The promotion cannot be shown.';
}
