//! What the product hears of a resync that is interrupted.

use std::sync::atomic::{AtomicUsize, Ordering};

use scim_lambda::operator::OperatorError;
use scim_lambda::operator::resync::ResyncReport;
use scim_lambda::store::ResyncScope;

use super::resync::{finished, ids, resync, scene, types};
use crate::support::World;
use crate::support::connectors::{Between, Fault};
use crate::support::consumer::counts;
use crate::support::stream::StreamReader;

async fn continued(world: &World, scope: ResyncScope) -> ResyncReport {
    world.patient_operator().continue_resync(&world.tenant, &scope, |_| {}).await.unwrap()
}

#[tokio::test]
async fn an_interrupted_resync_continues_with_its_id_and_counts() {
    // In the users, among the members of the first group, and behind it.
    for stop in [2, 15, 29, 38, 52] {
        let world = World::hasty(Between::default()).await;
        let people = world.seed().users(450, |_| {}).await.unwrap();
        world.seed().group("all", &people, |_| {}).await.unwrap();
        world.seed().group("some", &people[..200], |_| {}).await.unwrap();
        let stream = StreamReader::on(&world.local.engine);
        stream.records();
        let touches = AtomicUsize::new(0);
        world.between.set(move |called, body| {
            let is_touch = called == "TransactWriteItems" && body.to_string().contains("rs = :rs");
            let number = touches.fetch_add(usize::from(is_touch), Ordering::SeqCst);
            (number >= stop).then_some(Fault::Refuse(500, "InternalServerError"))
        });
        let operator = world.patient_operator();
        let failed = operator.resync(&world.tenant, &ResyncScope::All, |_| {}).await.unwrap_err();
        assert!(matches!(failed, OperatorError::Store(_)), "{failed}");
        world.between.clear();
        // Another scope is another resync.
        let one = resync(&world, ResyncScope::Users(ids(&["nobody"]))).await;
        world.clock.advance(60);
        let report = continued(&world, ResyncScope::All).await;
        assert!(report.is_continued && !one.is_continued, "{stop}");
        let mut events = stream.events(&world).await;
        events.retain(|event| event["resync"] == report.id.as_str());
        let expected = [
            ("group.member_snapshot", 650),
            ("group.snapshot", 2),
            ("resync.finished", 1),
            ("resync.started", 1),
            ("user.snapshot", 450),
        ];
        assert_eq!(types(&events), expected.into(), "{stop}");
        assert_eq!(finished(&events)["data"]["counts"], counts(450, 2, 650, 0), "{stop}");
        assert!(!continued(&world, ResyncScope::All).await.is_continued, "it has finished");
    }
}

/// A resync of this scope is interrupted before it has shown all.
async fn interrupt(world: &World, scope: &ResyncScope) {
    world.between.set(|called, body| {
        let touches = called == "TransactWriteItems" && body.to_string().contains("rs = :rs");
        touches.then_some(Fault::Refuse(500, "InternalServerError"))
    });
    let operator = world.patient_operator();
    operator.resync(&world.tenant, scope, |_| {}).await.unwrap_err();
    world.between.clear();
}

#[tokio::test]
async fn a_resync_begins_from_the_start_unless_it_is_to_continue() {
    let world = World::hasty(Between::default()).await;
    scene(&world, 10).await;
    interrupt(&world, &ResyncScope::All).await;
    // A consumer has given it up by then.
    world.clock.advance(4 * 60);
    assert!(!continued(&world, ResyncScope::All).await.is_continued);
    interrupt(&world, &ResyncScope::All).await;
    let stream = StreamReader::on(&world.local.engine);
    stream.records();
    assert!(!resync(&world, ResyncScope::All).await.is_continued);
    assert_eq!(types(&stream.events(&world).await)["user.snapshot"], 11);
}

#[tokio::test]
async fn a_resync_since_an_hour_ago_continues_though_an_hour_ago_is_later_then() {
    let world = World::hasty(Between::default()).await;
    scene(&world, 10).await;
    let since = world.clock.seconds() - 3_600;
    interrupt(&world, &ResyncScope::Since(since)).await;
    let later = ResyncScope::Since(since + 60);
    assert!(continued(&world, later.clone()).await.is_continued);
    assert!(!continued(&world, later).await.is_continued, "it has finished");
}

#[tokio::test]
async fn throttles_and_lost_answers_are_waited_out() {
    for fault in [
        Fault::BreakAfter,
        Fault::BreakBefore,
        Fault::Refuse(400, "ThrottlingException"),
        Fault::Refuse(500, "InternalServerError"),
    ] {
        let world = World::hasty(Between::default()).await;
        scene(&world, 60).await;
        let stream = StreamReader::on(&world.local.engine);
        stream.records();
        let calls = AtomicUsize::new(0);
        let (shown, each) = (format!("{fault:?}"), fault);
        world.between.set(move |_, _| {
            // Eight calls in a row fail, more than the SDK tries; then some succeed.
            let number = calls.fetch_add(1, Ordering::SeqCst);
            (number % 12 < 8).then(|| each.clone())
        });
        let report = resync(&world, ResyncScope::All).await;
        world.between.clear();
        let mut events = stream.events(&world).await;
        events.retain(|event| event["resync"] == report.id.as_str());
        assert_eq!(finished(&events)["data"]["counts"], counts(61, 3, 88, 0), "{shown}");
        assert_eq!(types(&events)["user.snapshot"], 61, "{shown}");
        assert_eq!(types(&events)["group.member_snapshot"], 88, "{shown}");
    }
}
