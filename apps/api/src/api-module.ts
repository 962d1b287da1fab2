import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { AccountController } from './account.controller.ts';
import { ConfigurationController } from './configuration.controller.ts';
import { DecideController } from './decide.controller.ts';
import { EdgeController } from './edge.controller.ts';
import { EventsController } from './events.controller.ts';
import { EvidenceController } from './evidence.controller.ts';
import { ExceptionsController } from './exceptions.controller.ts';
import { GatesController } from './gates.controller.ts';
import { GitHubController } from './github/github.controller.ts';
import { InboxController } from './inbox.controller.ts';
import { LanesController } from './lanes.controller.ts';
import { LimitsController } from './limits.controller.ts';
import { McpController } from './mcp/mcp.controller.ts';
import { OwnTokensController } from './own-tokens.controller.ts';
import { OwnPromotionsController } from './own-promotions.controller.ts';
import { PairingController } from './pairing.controller.ts';
import { PARTS, type Parts } from './parts.ts';
import { PeopleController } from './people.controller.ts';
import { PoliciesController } from './policies.controller.ts';
import { ProblemFilter } from './problem-filter.ts';
import { PromotionsController } from './promotions.controller.ts';
import { PrototypesController } from './prototypes.controller.ts';
import { ReferenceController } from './reference.controller.ts';
import { RunningController } from './running.controller.ts';
import { ServiceController } from './service.controller.ts';
import { SessionsController } from './sessions.controller.ts';
import { SignInController } from './sign-in.controller.ts';
import { SlackController } from './slack/slack.controller.ts';
import { WebhooksController } from './webhooks.controller.ts';
import { WorkloadsController } from './workloads.controller.ts';

const controllers = [
  AccountController,
  ConfigurationController,
  DecideController,
  EdgeController,
  EventsController,
  EvidenceController,
  ExceptionsController,
  GatesController,
  GitHubController,
  InboxController,
  LanesController,
  LimitsController,
  McpController,
  OwnPromotionsController,
  OwnTokensController,
  PairingController,
  PeopleController,
  PoliciesController,
  PromotionsController,
  PrototypesController,
  ReferenceController,
  RunningController,
  ServiceController,
  SessionsController,
  SignInController,
  SlackController,
  WebhooksController,
  WorkloadsController,
];

/** The one module: doors and the parts they work with. */
@Module({})
export class ApiModule {
  static with(parts: Parts): DynamicModule {
    return {
      module: ApiModule,
      controllers,
      providers: [
        { provide: PARTS, useValue: parts },
        { provide: APP_FILTER, useClass: ProblemFilter },
      ],
    };
  }
}
