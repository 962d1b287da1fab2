const escaped = (text) => String(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

export function page(notes, script) {
  const rows = notes.map(({ who, text }) => `<li><b>${escaped(who)}</b> ${escaped(text)}</li>`).join('');
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Standup notes</title></head>
<body><h1>Standup notes</h1><ul id="notes">${rows}</ul><script type="module" src="${script}"></script></body></html>`;
}
