export type {
  BrowserSession,
  BrowserSessions,
  DirtyMark,
  DoorRefusal,
  EdgeLane,
  EntryView,
  ExpectedRevision,
  Journal,
  JournalOptions,
  LaneView,
  Leadership,
  LogView,
  NamedEvidence,
  OpenPromotion,
  WatchedLane,
  OutdatedArtifact,
  Page,
  PersonalView,
  PastWait,
  PolicyView,
  Principal,
  PromotionView,
  PrototypeView,
  Pump,
  Reads,
  Receipt,
  SessionView,
  Submission,
  Weighed,
  WorkspaceView,
} from './port.ts';
export type { LookPoint, LookRow, LookView } from './look-view.ts';
export type { DeliveryView, DueDelivery, Tried, WebhookRef, Webhooks, WebhookStanding } from './webhooks.ts';
export { JournalFailure, type JournalFailureCode } from './failure.ts';
export { openJournal } from './open.ts';
export { openPump } from './pump.ts';
export { migrate, type MigrateOptions } from './migrate.ts';
