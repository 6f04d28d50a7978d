//! The endpoints under `/_sandbox/` that are this stand-in's own.
//!
//! | method and path | does |
//! |---|---|
//! | `GET /_sandbox/documents` | every stored document of every workspace with its lines, straight from the ledgers; `?workspace=` for one |
//! | `POST /_sandbox/edits` | one [`Edit`] or an array of them; 422 if one does not fit, and those before it stay |
//!
//! Calls and faults are the [shared ones](crate::control).

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use serde::{Deserialize, Serialize};

use super::server::QadHandle;
use super::world::{Document, DocumentKey, Module, Register, Workspace};
use crate::control::{loopback_only, refuse};

/// A change of the world from outside, as JSON: `{"period": {"workspace": "10USA_10USACO", "year": 2024,
/// "period": 5, "module": "purchasing", "open": false}}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Edit {
    /// Opens or closes a period, for one module or for both.
    Period {
        /// The workspace.
        workspace: String,
        /// The fiscal year.
        year: i32,
        /// The period in the year.
        period: u32,
        /// `gl` or `purchasing`; both without it.
        #[serde(default)]
        module: Option<Module>,
        /// Open or closed.
        open: bool,
    },
    /// Activates or deactivates an account.
    Account(Activation),
    /// Activates or deactivates a cost centre.
    CostCentre(Activation),
    /// Activates or deactivates a sub-account.
    SubAccount(Activation),
    /// Activates or deactivates a project.
    Project(Activation),
    /// Activates or deactivates a supplier.
    Supplier(Activation),
    /// Activates or deactivates a daybook.
    Daybook(Activation),
    /// Reverses a document.
    Reverse(Named),
    /// Takes a document out of the ledger, as no QAD would: to see the loss noticed.
    Remove(Named),
    /// Unlocks, forbids or admits a user.
    User {
        /// The user's name.
        name: String,
        /// Everything is 403, or not any more.
        #[serde(default)]
        forbidden: bool,
    },
}

/// A master and whether it is active.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activation {
    /// The workspace.
    pub workspace: String,
    /// The master's code.
    pub code: String,
    /// Whether new transactions may use it.
    pub active: bool,
}

/// A document by its key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// The workspace.
    pub workspace: String,
    /// The posting year.
    pub year: i32,
    /// The daybook.
    pub daybook: String,
    /// The voucher.
    pub voucher: u64,
}

/// A row of the audit listing.
#[derive(Serialize)]
struct Listed<'a> {
    workspace: &'a str,
    #[serde(flatten)]
    document: &'a Document,
}

#[derive(Deserialize)]
struct Which {
    workspace: Option<String>,
}

pub(super) fn router(handle: &QadHandle) -> Router {
    Router::new()
        .route("/_sandbox/documents", get(documents))
        .route("/_sandbox/edits", post(edits))
        .layer(middleware::from_fn(loopback_only))
        .with_state(handle.clone())
}

async fn documents(State(handle): State<QadHandle>, Query(which): Query<Which>) -> Response {
    handle.read(|world| {
        let wanted = |id: &str| which.workspace.as_deref().is_none_or(|wanted| wanted == id);
        let listed: Vec<Listed<'_>> = world
            .workspaces
            .iter()
            .filter(|(id, _)| wanted(id))
            .flat_map(|(id, workspace)| {
                workspace.ledger.iter().map(|document| Listed {
                    workspace: id,
                    document,
                })
            })
            .collect();
        Json(listed).into_response()
    })
}

async fn edits(State(handle): State<QadHandle>, body: String) -> Response {
    let edits = if body.trim_start().starts_with('[') {
        serde_json::from_str::<Vec<Edit>>(&body)
    } else {
        serde_json::from_str::<Edit>(&body).map(|edit| vec![edit])
    };
    let edits = match edits {
        Ok(edits) => edits,
        Err(error) => return refuse(StatusCode::UNPROCESSABLE_ENTITY, &format!("not an edit: {error}")),
    };
    for edit in &edits {
        if let Err(missing) = apply(&handle, edit) {
            return refuse(
                StatusCode::UNPROCESSABLE_ENTITY,
                &format!("there is no {missing}"),
            );
        }
    }
    StatusCode::NO_CONTENT.into_response()
}

/// The error names what is not there.
fn apply(handle: &QadHandle, edit: &Edit) -> Result<(), String> {
    match edit {
        Edit::Period {
            workspace,
            year,
            period,
            module,
            open,
        } => in_workspace(handle, workspace, |found| {
            let found = found
                .period_mut(*year, *period)
                .ok_or(format!("period {year}/{period:02}"))?;
            found.allow(*module, *open);
            Ok(())
        }),
        Edit::Account(edit) => activate(
            handle,
            edit,
            |workspace| &mut workspace.accounts,
            |entry| &mut entry.active,
        ),
        Edit::CostCentre(edit) => activate(
            handle,
            edit,
            |workspace| &mut workspace.cost_centres,
            |entry| &mut entry.active,
        ),
        Edit::SubAccount(edit) => activate(
            handle,
            edit,
            |workspace| &mut workspace.sub_accounts,
            |entry| &mut entry.active,
        ),
        Edit::Project(edit) => activate(
            handle,
            edit,
            |workspace| &mut workspace.projects,
            |entry| &mut entry.active,
        ),
        Edit::Supplier(edit) => activate(
            handle,
            edit,
            |workspace| &mut workspace.suppliers,
            |entry| &mut entry.active,
        ),
        Edit::Daybook(edit) => activate(
            handle,
            edit,
            |workspace| &mut workspace.daybooks,
            |entry| &mut entry.active,
        ),
        Edit::Reverse(named) => {
            let reversed = handle.reverse(&named.workspace, &named.key());
            reversed.then_some(()).ok_or_else(|| named.missing())
        }
        Edit::Remove(named) => in_workspace(handle, &named.workspace, |workspace| {
            workspace
                .ledger
                .remove(&named.key())
                .map(drop)
                .ok_or_else(|| named.missing())
        }),
        Edit::User { name, forbidden } => handle.edit(|world| {
            let user = world.users.get_mut(name).ok_or(format!("user {name}"))?;
            user.unlock();
            user.forbidden = *forbidden;
            Ok(())
        }),
    }
}

impl Named {
    fn key(&self) -> DocumentKey {
        DocumentKey {
            year: self.year,
            daybook: self.daybook.clone(),
            voucher: self.voucher,
        }
    }

    fn missing(&self) -> String {
        format!(
            "document {}.{}.{} in workspace {}",
            self.year, self.daybook, self.voucher, self.workspace
        )
    }
}

fn in_workspace(
    handle: &QadHandle,
    id: &str,
    change: impl FnOnce(&mut Workspace) -> Result<(), String>,
) -> Result<(), String> {
    handle.edit(|world| change(world.workspace_mut(id).ok_or(format!("workspace {id}"))?))
}

fn activate<T: super::world::Coded>(
    handle: &QadHandle,
    edit: &Activation,
    register: impl FnOnce(&mut Workspace) -> &mut Register<T>,
    active: impl FnOnce(&mut T) -> &mut bool,
) -> Result<(), String> {
    in_workspace(handle, &edit.workspace, |workspace| {
        let entry = register(workspace).get_mut(&edit.code);
        let entry = entry.ok_or(format!("master {} in workspace {}", edit.code, edit.workspace))?;
        *active(entry) = edit.active;
        Ok(())
    })
}
