import { type Deployment, openDeployment } from './deployment.contract.ts';
import { openapiText } from './openapi.ts';

let here: Deployment;

beforeAll(async () => {
  here = await openDeployment();
});

afterAll(async () => {
  await here.close();
});

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

function operations(): readonly Operation[] {
  const { paths } = JSON.parse(openapiText()) as { paths: Record<string, Record<string, Operation>> };
  return Object.values(paths).flatMap((methods) => Object.values(methods));
}

describe('the OpenAPI description', () => {
  it('has patterns that every reader of it can read: no names of classes, no short forms of NUL', () => {
    const patterns = [...openapiText().matchAll(/"pattern": (".*")/g)].map(([, text = '""']) =>
      String(JSON.parse(text)),
    );
    expect(patterns.length).toBeGreaterThan(10);
    expect(patterns.filter((pattern) => /\\[pP]\{|\\0|\\u[dD][89a-fA-F]/.test(pattern))).toEqual([]);
  });

  it('names every status that is an answer, and none that would be a fault of ours', () => {
    for (const { operationId, responses } of operations()) {
      const statuses = Object.keys(responses).filter((status) => !/^(20[0-9]|304|4XX|503)$/.test(status));
      expect([operationId, statuses]).toEqual([operationId, []]);
      expect(Object.keys(responses['4XX']?.content ?? {})).toEqual(['application/problem+json']);
    }
  });

  it('tells of 304 wherever a tag that is sent back is answered with it', async () => {
    for (const url of ['/v1/me', '/v1/people', `/v1/people/${here.people.sam}`, '/v1/promotions', '/v1/lanes']) {
      const { headers } = await here.ask('aud', 'GET', url);
      const again = await here.ask('aud', 'GET', url, { headers: { 'if-none-match': String(headers['etag']) } });
      expect([url, again.status, again.text]).toEqual([url, 304, '']);
    }
    const told = operations().filter(({ responses }) => responses['304'] !== undefined);
    expect(told.map(({ operationId }) => operationId)).toEqual(
      expect.arrayContaining(['readMe', 'listPeople', 'readPerson', 'listPromotions', 'listLanes']),
    );
  });
});
