export const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Help desk</title></head>
<body>
<h1>Help desk</h1>
<form id="form"><label>Your question <input id="question" required></label> <button>Ask</button></form>
<p id="answer" aria-live="polite"></p>
<script>
document.getElementById('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const question = document.getElementById('question').value;
  const response = await fetch('/answer', { method: 'POST', body: JSON.stringify({ question }) });
  document.getElementById('answer').textContent = (await response.json()).answer;
});
</script>
</body>
</html>
`;
