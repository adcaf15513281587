//! What the store promises, on any engine: one test for each promise.
//!
//! `cargo test` plays them on the embedded engine. `tests/moto.sh` plays them on another one, as
//! `endpoints.rs` says.

mod bounds;
mod concurrent;
mod formats;
mod lifecycle;
mod lists;
mod members;
mod names;
mod service;
mod table;
mod tenants;
mod versions;

/// Plays each promise on the embedded engine and, on request, on another one.
macro_rules! promises {
    ($($file:ident { $($promise:ident)* })*) => {
        mod embedded_engine {
            $($(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                super::$file::$promise(&super::table::Table::embedded().await).await;
            })*)*
        }

        mod another_engine {
            $($(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs an engine: tests/moto.sh"]
            async fn $promise() {
                super::$file::$promise(&super::table::Table::elsewhere().await).await;
            })*)*
        }
    };
}

promises! {
    names {
        a_name_has_one_owner
        a_refusal_names_the_owner
        an_external_id_may_have_several_owners
        a_rename_frees_the_old_name
        a_deletion_keeps_its_names_until_another_resource_takes_them
        an_expired_name_is_free
        tenants_do_not_share_names
    }
    versions {
        a_write_is_read_back_at_once
        a_change_needs_the_version_it_read
        a_deletion_needs_the_version_it_read
        a_refused_write_changes_nothing
        a_lost_answer_is_not_a_duplicate
    }
    formats {
        a_change_keeps_attributes_that_it_does_not_know
        a_change_removes_what_a_resource_no_longer_has
        a_row_of_a_newer_format_is_neither_read_nor_written
    }
    lifecycle {
        a_deleted_user_is_invisible_and_restorable
        a_deleted_user_is_restored_once
        an_expired_user_cannot_be_restored
        a_due_user_is_erased_once
        resources_are_counted_in_the_transaction
    }
    members {
        members_are_counted_in_the_transaction
        a_member_is_added_and_removed_once
        an_unknown_member_is_refused_by_its_index
        a_change_of_members_is_a_new_version
        a_condition_on_members_covers_their_changes
        a_deleted_group_accepts_no_members
        a_deleted_user_leaves_its_groups
    }
    lists {
        pages_follow_one_order
        a_walk_returns_each_resource_once
        a_deleted_user_is_not_listed
    }
    bounds {
        seats_are_taken_in_the_transaction
        deactivations_stop_at_the_brake
    }
    concurrent {
        one_of_several_concurrent_owners_gets_the_name
        one_of_several_concurrent_changes_wins
        concurrent_changes_of_members_are_all_counted
        one_of_two_concurrent_users_gets_the_last_seat
    }
    tenants {
        a_tenant_has_a_name_of_its_own
        a_profile_is_replaced_only_if_it_is_the_one_that_was_read
        a_token_is_listed_once_and_until_a_month_after_its_end
        a_tenant_moves_from_the_secret_that_its_row_names
        the_next_secret_is_begun_once
        a_table_can_be_created_again
    }
    service {
        the_service_gives_the_same_answers_about_users
        the_service_gives_the_same_pages
        the_service_gives_the_same_answers_about_groups
    }
}
