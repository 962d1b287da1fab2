const notes = [
  { id: 1, who: 'Ana', text: 'finished the import' },
  { id: 2, who: 'Ben', text: 'waits for a review' },
];
const listeners = new Set();

export function allNotes() {
  return notes;
}

export function addNote({ who, text }) {
  const note = { id: notes.length + 1, who, text };
  notes.push(note);
  for (const listener of listeners) listener(note);
  return note;
}

export function onNote(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
