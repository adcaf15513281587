//! What the secrets of tokens promise, on any implementation of Secrets Manager: one test for each
//! promise.
//!
//! `cargo test` plays them on the embedded one. `tests/moto.sh` plays them on another one, as
//! `endpoints.rs` says. The table is always embedded.

mod local;
mod operators;
mod quota;
mod recovery;
mod stack;
mod versions;

/// Plays each promise on the embedded secrets and, on request, on others.
macro_rules! promises {
    ($($file:ident { $($promise:ident)* })*) => {
        mod embedded_secrets {
            $($(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                super::$file::$promise(&super::stack::Stack::embedded().await).await;
            })*)*
        }

        mod another_engine {
            $($(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs Secrets Manager: tests/moto.sh"]
            async fn $promise() {
                super::$file::$promise(&super::stack::Stack::elsewhere().await).await;
            })*)*
        }
    };
}

promises! {
    versions {
        a_secret_is_replaced_only_as_it_was_read
        a_writer_that_comes_second_uses_up_no_version
        a_writer_that_was_interrupted_blocks_nobody
        the_version_before_the_current_one_is_kept
    }
    quota {
        a_secret_that_changed_too_often_is_left_alone
        a_secret_near_its_quota_keeps_what_a_move_leaves
        a_secret_that_refuses_another_version_is_left_alone
        a_secret_that_is_three_quarters_full_takes_no_more_tenants
        a_hundred_tenants_can_be_created_in_a_minute
    }
    operators {
        a_moved_tenant_keeps_its_tokens
        a_revocation_during_a_move_is_not_lost
        a_revocation_after_a_move_has_begun_is_not_lost
        a_move_that_was_interrupted_is_completed_by_the_next_change
        a_record_that_a_move_left_behind_is_not_used
        operators_who_work_at_once_lose_nothing
        a_token_issued_while_the_tenant_moves_away_is_good
        a_rotation_leaves_a_token_issued_at_once_alone
        two_mints_at_once_keep_both_tokens
    }
    recovery {
        a_secret_marked_for_deletion_is_restored
        a_broken_record_spoils_one_tenant
        a_missing_record_is_replaced_only_on_request
        an_interrupted_mint_leaves_no_valid_token
        an_interrupted_first_mint_that_was_revoked_stays_so
        tokens_that_an_earlier_version_revives_are_shown_and_ended
        a_late_answer_of_secrets_manager_loses_no_revocation
    }
}
