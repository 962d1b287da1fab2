import { atApproval, pick, pickText } from '../deployment.contract.ts';
import { type SlackGround, asking, openSlackGround, slackUsers, until } from './slack.contract.ts';

let ground: SlackGround;

beforeAll(async () => {
  ground = await openSlackGround({ socketMode: true });
  await ground.slack.socket.connected();
});

afterAll(async () => {
  await ground.close();
});

/** What a deed would send over HTTP, as it comes over the socket. */
function payloadOf(body: string): object {
  const form = new URLSearchParams(body);
  const payload = form.get('payload');
  return payload === null ? Object.fromEntries(form) : (JSON.parse(payload) as object);
}

describe('Socket Mode', () => {
  it('hears what people press, and is acknowledged after it was decided', async () => {
    const { here, slack } = ground;
    const scene = await atApproval(here, 'by-socket');
    const message = await until(() => asking(slack, scene.promotion));
    for (const actor of ['sam', 'kim'] as const) {
      const deed = ground.member(actor).press(message, 'approve');
      await slack.socket.deliver('interactive', payloadOf(deed.request.body));
      const gate = await here.ask('aud', 'GET', `/v1/gates/${scene.gate}`);
      expect(JSON.stringify(gate.body['decisions'])).toContain(here.people[actor]);
      expect(await deed.told()).toMatch(/^Recorded/);
    }
    expect(pick((await here.ask('aud', 'GET', `/v1/gates/${scene.gate}`)).body, 'status')).toBe('passed');
  });

  it('answers commands in the acknowledgement', async () => {
    const { slack } = ground;
    const typed = slack.member(slackUsers.olga).type('status');
    const answer = await slack.socket.deliver('slash_commands', payloadOf(typed.request.body));
    expect(pickText(answer, 'text')).toContain('/decide/gate_');
  });

  it('leaves the door over HTTP shut', async () => {
    const { body, headers } = ground.slack.member(slackUsers.sam).type('status').request;
    const answer = await fetch(ground.slack.eventsUrl, { method: 'POST', body, headers });
    expect(answer.status).toBe(404);
  });
});
