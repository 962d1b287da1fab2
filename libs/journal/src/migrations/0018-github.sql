-- What is pressed or typed at a commit of GitHub names the commit, and no token: everybody there could read one.
create index prompt_conversation on proviso.prompt (workspace, channel, conversation);
