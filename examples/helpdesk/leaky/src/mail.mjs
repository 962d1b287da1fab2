// Tells the team about questions that nobody has answered yet.
// Mail goes through a provider's HTTP interface; without a key
// nothing is sent and the question is only counted.

let unanswered = 0;

export function unansweredCount() {
  return unanswered;
}

const settings = {
  from: 'helpdesk@example.com',
  to: 'team@example.com',
  apiKey: 'SG.invented_for_the_helpdesk_demo.this_key_opens_nothing_whatever_000',
};

export function notifyTeam(question) {
  unanswered += 1;
  if (!settings.apiKey) return;
  const mail = { from: settings.from, to: settings.to, subject: 'Unanswered question', text: question };
  fetch('https://mail.example.com/v1/send', {
    method: 'POST',
    headers: { authorization: `Bearer ${settings.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(mail),
  }).catch(() => undefined);
}
