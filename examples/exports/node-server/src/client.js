const list = document.getElementById('notes');
new EventSource('/api/events').addEventListener('note', (event) => {
  const { who, text } = JSON.parse(event.data);
  const row = document.createElement('li');
  row.textContent = `${who} ${text}`;
  list.append(row);
});
