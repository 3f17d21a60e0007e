"""Drives the scheduler with Debian's python3-marathon, like a script of an operator. Exits at the first unexpected result."""

import sys
import threading
import time

from marathon import MarathonClient, MarathonHttpError, NotFoundError
from marathon.models import MarathonApp, MarathonGroup

url = sys.argv[1]
client = MarathonClient(url, timeout=10)
heard = []


def listen():
    wanted = [
        "deployment_info",
        "deployment_success",
        "status_update_event",
        "instance_changed_event",
        "app_terminated_event",
        "api_post_event",
    ]
    for event in client.event_stream(event_types=wanted):
        heard.append(event)


def wait(what, probe, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        if probe():
            print("ok", what, flush=True)
            return
        time.sleep(0.05)
    sys.exit("after %d s: %s" % (seconds, what))


def check(what, holds):
    if not holds:
        sys.exit("unexpected: %s" % what)
    print("ok", what, flush=True)


def running(count, app="/web"):
    tasks = client.list_tasks(app)
    return len([task for task in tasks if task.state == "TASK_RUNNING"]) == count


def settled():
    return client.list_deployments() == []


threading.Thread(target=listen, daemon=True).start()

check("ping", client.ping() in ("pong", b"pong"))
info = client.get_info()
check("info names the leader", info.leader == client.get_leader()["leader"] and info.elected)
check("info has the configuration", info.marathon_config.master and info.http_config.http_port is not None)
check("there are no pods nor subscriptions", client.list_event_subscriptions() == [])

app = MarathonApp(cmd="exec sleep 600", cpus=0.1, mem=16, instances=2, labels={"tier": "front"}, env={"A": "1"})
made = client.create_app("/web", app)
check("create answers with the app", made.id == "/web" and made.instances == 2 and len(made.deployments) == 1)
wait("both instances run", lambda: running(2))
wait("the deployment is over", settled)
try:
    client.create_app("/web", app)
    sys.exit("an app was created twice")
except MarathonHttpError as error:
    check("no app is made twice", error.status_code == 409)

check("list by label", [one.id for one in client.list_apps(label="tier==front", embed_tasks=True)] == ["/web"])
check("get with tasks", len(client.get_app("/web").tasks) == 2)

client.scale_app("/web", instances=3)
wait("three instances run", lambda: running(3))
wait("the scaling is over", settled)
client.scale_app("/web", delta=-1)
wait("two instances are left", lambda: running(2) and settled())

before = {task.id for task in client.list_tasks("/web")}
answer = client.update_app("/web", MarathonApp(env={"A": "2"}))
check("update answers with a deployment", answer["deploymentId"] and answer["version"])
wait("the deployment is listed, and ends", settled)
check("all instances are new", not before & {task.id for task in client.list_tasks("/web")})
check("the update is kept", client.get_app("/web").env == {"A": "2"})

versions = client.list_versions("/web")
check("versions are listed, newest first", versions == sorted(versions, reverse=True) and len(versions) >= 3)
check("a version is shown", client.get_version("/web", versions[-1]).env == {"A": "1"})
client.rollback_app("/web", versions[-1])
wait("the rollback is over", settled)
check("it is as it was", client.get_app("/web").env == {"A": "1"})

before = {task.id for task in client.list_tasks("/web")}
client.restart_app("/web")
wait("the restart is over", settled)
check("a restart replaces all", not before & {task.id for task in client.list_tasks("/web")})

task = client.list_tasks("/web")[0]
killed = client.kill_task("/web", task.id)
check("kill answers with the task", killed.id == task.id)
wait("a killed task is replaced", lambda: running(2) and task.id not in {one.id for one in client.list_tasks()})
killed = client.kill_tasks("/web", host=task.host)
check("kill by host answers with the tasks", len(killed) == 2)
wait("they are replaced too", lambda: running(2) and not {one.id for one in killed} & {one.id for one in client.list_tasks()})
check("kill by ids", client.kill_given_tasks([client.list_tasks("/web")[0].id], scale=True))
wait("one instance is left", lambda: running(1) and settled() and client.get_app("/web").instances == 1)

group = MarathonGroup(
    id="/shop",
    apps=[
        MarathonApp(id="/shop/db", cmd="exec sleep 600", cpus=0.1, mem=16, instances=1),
        MarathonApp(id="/shop/front", cmd="exec sleep 600", cpus=0.1, mem=16, instances=1, dependencies=["/shop/db"]),
    ],
)
client.create_group(group)
wait("the group runs", lambda: running(1, "/shop/db") and running(1, "/shop/front") and settled())
shown = client.get_group("/shop")
check("the group is shown", sorted(one.id for one in shown.apps) == ["/shop/db", "/shop/front"])
check("groups are listed", [one.id for one in client.list_groups()] == ["/shop"])
client.scale_group("/shop", 2)
wait("the group is scaled", lambda: running(2, "/shop/db") and running(2, "/shop/front") and settled())
client.delete_group("/shop")
wait("the group is gone", lambda: [one.id for one in client.list_apps()] == ["/web"] and settled())

# A change that can never run, to be rolled back.
stuck = client.update_app("/web", MarathonApp(cmd="exec sleep 601", constraints=[["hostname", "LIKE", "nowhere"]]))
check("a deployment is under way", [one.id for one in client.list_deployments()] == [stuck["deploymentId"]])
check("what is under way is described", client.list_deployments()[0].current_actions[0].action == "RestartApplication")
try:
    client.update_app("/web", MarathonApp(cmd="exec sleep 602"), force=False)
    sys.exit("a locked app was changed")
except MarathonHttpError as error:
    check("a locked app isn't changed", error.status_code == 409)
wait("what can't be placed is queued", lambda: [one.app.id for one in client.list_queue()] == ["/web"])
queued = client.list_queue(embed_last_unused_offers=True)[0]
check("the queue says how many wait, and since when", queued.count >= 1 and queued.since)
check("the queue says when the next try is", queued.delay.overdue and queued.delay.time_left_seconds == 0)
wait(
    "the queue says why",
    lambda: "hostname LIKE nowhere" in " ".join(client.list_queue()[0].processed_offers_summary["reasons"]),
)
client.reset_delay("/web")
back = client.delete_deployment(stuck["deploymentId"])
check("it is rolled back by another", back["deploymentId"] != stuck["deploymentId"])
wait("the rollback of it ends", settled)
check("the app is as before", client.get_app("/web").cmd == "exec sleep 600")

client.delete_app("/web")
wait("the app is gone", lambda: client.list_apps() == [] and client.list_tasks() == [])
try:
    client.get_app("/web")
    sys.exit("a deleted app was shown")
except NotFoundError:
    print("ok a deleted app is not found", flush=True)

types = {event.event_type for event in heard}
check("events of deployments came", {"deployment_info", "deployment_success"} <= types)
check("events of tasks came", {"status_update_event", "instance_changed_event"} <= types)
check("events of apps came", {"api_post_event", "app_terminated_event"} <= types)
plans = [event.plan for event in heard if event.event_type == "deployment_info"]
check("plans tell what is done", all(plan.steps and plan.target.id == "/" for plan in plans))
check("metrics are numbers", "gauges" in client.get_metrics())
print("done", flush=True)
