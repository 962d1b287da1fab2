import type { FastifyReply, FastifyRequest } from 'fastify';
import { askerOf } from './caller.ts';
import { type Html, html } from './html.ts';
import { type Page, sendPage, sendTo } from './page.ts';
import { type Problem, type ProblemDetail, httpStatusOf } from './problem.ts';
import { isPage, routeKey } from './route.ts';
import { routesByKey } from './routes.ts';

/** Whether the answer is read by a person: only then a problem is told as a page. Who sends a token is a program. */
export function isForPeople(request: FastifyRequest): boolean {
  const route = routesByKey.get(routeKey(request.method, request.routeOptions.url ?? ''));
  return route !== undefined && isPage(route) && request.headers.authorization === undefined;
}

/** A problem in the words of a page; whoever is not signed in is shown the way, and comes back to where they were going. */
export function sendProblemPage(problem: Problem, request: FastifyRequest, reply: FastifyReply): void {
  if (problem.code === 'unauthenticated') {
    const to = request.method === 'GET' ? request.url : '/';
    void sendTo(reply, `/login?to=${encodeURIComponent(to)}`, { status: request.method === 'GET' ? 302 : 303 });
    return;
  }
  void sendPage(reply, httpStatusOf(problem.code), pageOf(problem, askerOf(request) !== undefined));
}

function pageOf({ code, message, more }: Problem, signedIn: boolean): Page {
  const { title, advice } = wordsOf[code] ?? { title: 'That did not work', advice: 'Nothing was recorded.' };
  const waits = code === 'not_permitted' && more.rule === 'ability/read';
  const content = html`<h1>${waits ? 'You have no role here yet' : title}</h1>
<div class="told no" role="alert" data-code="${code}"><p>${waits ? 'You are signed in. An administrator of this workspace gives you a role; then this page shows what waits for you.' : `${capital(message)}.`}</p>${mistakesOf(more.errors ?? [])}</div>
<p>${waits ? '' : advice}</p>
<p><a href="${signedIn ? '/' : '/login'}">${signedIn ? 'To what waits for you' : 'Sign in'}</a></p>`;
  return { title: waits ? 'No role yet' : title, content };
}

/** What was wrong, each by its place in what was sent. */
function mistakesOf(errors: readonly ProblemDetail[]): Html | null {
  if (errors.length === 0) return null;
  return html`<ul>${errors.map(({ pointer, message }) => html`<li><code>${pointer.slice(1)}</code>: ${message}</li>`)}</ul>`;
}

function capital(message: string): string {
  return `${message.slice(0, 1).toUpperCase()}${message.slice(1)}`;
}

const again = 'Nothing was recorded. Try again in a moment.';

const wordsOf: Readonly<Record<string, { readonly title: string; readonly advice: string }>> = {
  sign_in_refused: {
    title: 'You are not signed in',
    advice: 'Begin again: each sign-in is good once, in one browser.',
  },
  provider_unavailable: { title: 'Nobody can sign in now', advice: 'Try again in a moment, or ask your operator.' },
  person_disabled: { title: 'You were shut out', advice: 'An administrator of the workspace can say why.' },
  cross_site: { title: 'That came from another page', advice: 'Nothing was recorded.' },
  not_found: {
    title: 'There is nothing here',
    advice: 'Is the address complete? What is in another workspace is not shown.',
  },
  invalid: { title: 'Something was filled in wrong', advice: 'Nothing was recorded. Go back and look at it again.' },
  too_many_refusals: { title: 'Too many tries', advice: 'Nothing was recorded. Wait a minute.' },
  unavailable: { title: 'Not now', advice: again },
  contention: { title: 'Not now', advice: again },
  internal: { title: 'Something broke on our side', advice: again },
};
