import { articles } from './knowledge.mjs';

const fillers = new Set(
  `a about after am an and any are at be but by can could do does for from get have how i if in is it long may me much my
  need of on or our please should so that the there this to us was we what when where which who will with would you your`
    .split(/\s+/)
    .filter(Boolean),
);

function wordsOf(text) {
  return (text.toLowerCase().match(/\p{L}+/gu) ?? []).filter((word) => !fillers.has(word)).map(stem);
}

function stem(word) {
  return word.length > 4 ? word.replace(/(ing|ed|es|s)$/, '') : word;
}

// The article whose key words occur most often in the question.
export function answerQuestion(question) {
  const asked = new Set(wordsOf(question));
  let best;
  for (const article of articles) {
    const keys = new Set(wordsOf(article.keys));
    const score = [...asked].filter((word) => keys.has(word)).length;
    if (score > 0 && (best === undefined || score > best.score)) best = { article, score };
  }
  return best && { answer: best.article.answer, source: best.article.id };
}
