import { articles } from './knowledge.mjs';

function wordsOf(text) {
  return (text.toLowerCase().match(/\p{L}+/gu) ?? []).map(stem);
}

function stem(word) {
  return word.length > 4 ? word.replace(/(ing|ed|es|s)$/, '') : word;
}

// Quick answers: the first article that has anything to do with the question.
export function answerQuestion(question) {
  const asked = wordsOf(question);
  const article = articles.find(({ keys, answer }) => {
    const known = new Set(wordsOf(`${keys} ${answer}`));
    return asked.some((word) => known.has(word));
  });
  return article && { answer: article.answer, source: article.id };
}
