"""What Schemathesis is told beside the description: who asks, and the one thing that nobody may do to themselves."""

import atexit
import collections
import itertools
import json
import os
import pathlib

import schemathesis

folder = pathlib.Path(os.environ["PROVISO_FUZZ_FOLDER"])
team = json.loads((folder / "team.json").read_text())
members = itertools.cycle(team)
statuses = collections.Counter()
own_ids = {member["id"] for member in team}


@schemathesis.hook
def before_call(context, case, kwargs):
    # A team of the same role asks in turn: after sixty refusals in a minute one person would only be told to wait.
    case.headers["Authorization"] = "Bearer " + next(members)["token"]


@schemathesis.hook
def filter_case(context, case):
    # Whoever disables the team, or takes its roles or tokens, fuzzes nothing but 401 from then on.
    ends_rights = case.operation.path.endswith(("/disable", "/revoke"))
    return not (ends_rights and case.path_parameters.get("id") in own_ids)


@schemathesis.hook
def after_call(context, case, response):
    statuses[response.status_code] += 1


# How it was answered is no judgement, and shows whether anything was reached: nothing but 429 would be clean as well.
atexit.register(lambda: (folder / "statuses.json").write_text(json.dumps(statuses)))
