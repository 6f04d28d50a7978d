//! The client: paces, sends, classifies, perhaps waits and asks again, counts.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, Url, redirect, retry};
use serde_json::{Map, Value};
use tieout_domain::ids::{Label, PolicyId, ReportId};
use tieout_domain::ports::{Clock, Entropy, ListingQuery, PaceBook, Source, SourceCalls, SourceError};

use crate::backoff::{full_jitter, not_ready_yet};
use crate::classify::{Answer, Fault, classify};
use crate::credentials::Credentials;
use crate::download::{self, Lines, Opening};
use crate::jobs::{self, AT_MOST, FileName, Form, Job};
use crate::limiter::Pacer;
use crate::policy::{self, Policy, PolicyField, PolicySummary};
use crate::settings::{BadAddress, Settings, endpoint};
use crate::splitter::{Chunks, Splitter};

/// The Integration Server, by one pair of credentials. Cheap to clone.
pub struct ExpensifyClient<C, E, P> {
    inner: Arc<Inner<C, E, P>>,
}
impl<C, E, P> Clone for ExpensifyClient<C, E, P> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}
impl<C, E, P> std::fmt::Debug for ExpensifyClient<C, E, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExpensifyClient")
            .field("url", &self.inner.url.as_str())
            .finish_non_exhaustive()
    }
}

struct Inner<C, E, P> {
    http: reqwest::Client,
    url: Url,
    credentials: Arc<Credentials>,
    settings: Settings,
    pacer: Pacer<C, P>,
    entropy: Arc<E>,
    calls: Mutex<SourceCalls>,
}

/// What one attempt brought.
enum Brought {
    Whole(Answer),
    Begun(Opening),
}

/// How often one job has failed, by kind.
#[derive(Default)]
struct Failures {
    throttled: u32,
    dropped: u32,
    not_ready: u32,
}

impl<C: Clock + 'static, E: Entropy + 'static, P: PaceBook + 'static> ExpensifyClient<C, E, P> {
    /// A client of the endpoint at `url`, which must be https unless it is on this machine.
    pub fn new(
        url: &str,
        credentials: Credentials,
        settings: Settings,
        clock: Arc<C>,
        entropy: Arc<E>,
        book: Arc<P>,
    ) -> Result<Self, BadAddress> {
        let (url, local) = endpoint(url)?;
        let mut builder = reqwest::Client::builder()
            .connect_timeout(settings.connect_timeout)
            // A connection that went stale while it idled would make a marking export's outcome unknown for nothing.
            .pool_max_idle_per_host(0)
            // Every attempt is paced and counted, so none may be made behind our back.
            .retry(retry::never())
            // The body holds the pair: it goes where it was sent and nowhere else.
            .redirect(redirect::Policy::none())
            .referer(false);
        if local {
            builder = builder.no_proxy();
        }
        let http = builder
            .build()
            .map_err(|error| BadAddress::NoClient { why: words(error) })?;
        let pacer = Pacer {
            clock,
            book,
            account: credentials.account(),
            limits: settings.limits,
        };
        let credentials = Arc::new(credentials);
        let calls = Mutex::default();
        Ok(Self {
            inner: Arc::new(Inner {
                http,
                url,
                credentials,
                settings,
                pacer,
                entropy,
                calls,
            }),
        })
    }

    /// The policies this pair can see; with `admin_only`, those it administers (contract expensify §7.1).
    pub async fn policy_list(&self, admin_only: bool) -> Result<Vec<PolicySummary>, SourceError> {
        let inner = &self.inner;
        let form = jobs::policy_list(&inner.credentials, admin_only).map_err(not_sent)?;
        let answer = inner.object(Job::PolicyList, &form).await?;
        policy::read_list(answer).map_err(|why| inner.misshapen(Job::PolicyList, &why))
    }

    /// These sections of these policies, a call for each hundred (contract expensify §7.2). A policy that the server does
    /// not show is not in the map.
    pub async fn policies(
        &self,
        ids: &[PolicyId],
        fields: &[PolicyField],
    ) -> Result<BTreeMap<PolicyId, Policy>, SourceError> {
        let inner = &self.inner;
        let mut policies = BTreeMap::new();
        if fields.is_empty() {
            return Err(not_sent("no sections of the policies are named".to_owned()));
        }
        for ids in ids.chunks(AT_MOST) {
            let form = jobs::policy(&inner.credentials, ids, fields).map_err(not_sent)?;
            let answer = inner.object(Job::Policy, &form).await?;
            policies.extend(policy::read_policies(answer).map_err(|why| inner.misshapen(Job::Policy, &why))?);
        }
        Ok(policies)
    }
}

impl<C: Clock + 'static, E: Entropy + 'static, P: PaceBook + 'static> Source for ExpensifyClient<C, E, P> {
    type Lines = Lines;

    async fn list(&self, query: &ListingQuery) -> Result<Lines, SourceError> {
        let today = self.inner.pacer.clock.now().date_naive();
        let form = jobs::export(&self.inner.credentials, query, today).map_err(not_sent)?;
        self.inner.rendered(Job::Export, &form).await
    }

    async fn mark(
        &self,
        policies: &[PolicyId],
        reports: &[ReportId],
        label: &Label,
    ) -> Result<Lines, SourceError> {
        let form = jobs::mark(&self.inner.credentials, policies, reports, label).map_err(not_sent)?;
        self.inner.rendered(Job::Mark, &form).await
    }

    fn take_calls(&self) -> SourceCalls {
        std::mem::take(&mut *self.inner.calls())
    }
}

impl<C: Clock + 'static, E: Entropy + 'static, P: PaceBook + 'static> Inner<C, E, P> {
    /// Runs an export and opens its file.
    async fn rendered(&self, job: Job, form: &Form) -> Result<Lines, SourceError> {
        let Brought::Whole(Answer::File(file)) = self.ask(job, form).await? else {
            return Err(self.misshapen(job, "no file name"));
        };
        let opening = self.download(&file).await?;
        Ok(Lines::new(
            opening,
            Arc::clone(&self.entropy),
            Arc::clone(&self.credentials),
        ))
    }

    async fn download(&self, file: &FileName) -> Result<Opening, SourceError> {
        let form = jobs::download(&self.credentials, file).map_err(not_sent)?;
        match self.ask(Job::Download, &form).await? {
            Brought::Begun(opening) => Ok(opening),
            Brought::Whole(_) => Err(self.misshapen(Job::Download, "no file")),
        }
    }

    async fn object(&self, job: Job, form: &Form) -> Result<Map<String, Value>, SourceError> {
        match self.ask(job, form).await? {
            Brought::Whole(Answer::Object(object)) => Ok(object),
            _ => Err(self.misshapen(job, "no JSON object")),
        }
    }

    /// Asks until there is an answer, or no more asking is allowed.
    async fn ask(&self, job: Job, form: &Form) -> Result<Brought, SourceError> {
        let mut failures = Failures::default();
        let mut again = false;
        loop {
            self.pacer.wait().await.map_err(not_sent)?;
            self.count(job, again);
            again = true;
            tracing::debug!(job = job.name(), "calling Expensify");
            let fault = match self.attempt(job, form).await {
                Ok(brought) => return Ok(brought),
                Err(fault) => fault,
            };
            let wait = self.after(job, fault, &mut failures)?;
            self.pacer.clock.sleep(wait).await;
        }
    }

    /// How long to wait before asking again, or why not to.
    fn after(&self, job: Job, fault: Fault, failures: &mut Failures) -> Result<Duration, SourceError> {
        let (settings, limits) = (&self.settings, &self.settings.limits);
        let jittered =
            |failed| full_jitter(&*self.entropy, limits.first_wait(), limits.longest_wait(), failed);
        let name = job.name();
        match fault {
            Fault::Throttled => {
                failures.throttled += 1;
                let last = failures.throttled >= settings.attempts_when_throttled;
                let wait = if last {
                    Duration::ZERO
                } else {
                    jittered(failures.throttled)
                };
                let milliseconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                self.calls().throttled.push(milliseconds);
                tracing::warn!(
                    job = name,
                    attempt = failures.throttled,
                    milliseconds,
                    "Expensify answered 429"
                );
                if last {
                    Err(SourceError::Throttled {
                        job: name,
                        attempts: failures.throttled,
                    })
                } else {
                    Ok(wait)
                }
            }
            Fault::NotConnected(detail) => {
                failures.dropped += 1;
                tracing::warn!(job = name, attempt = failures.dropped, %detail, "Expensify cannot be reached");
                if failures.dropped >= settings.attempts_when_dropped {
                    let detail = format!(
                        "the {name} job found no connection in {} attempts: {detail}",
                        failures.dropped
                    );
                    return Err(SourceError::Unreachable { detail });
                }
                Ok(jittered(failures.dropped))
            }
            // It may have arrived, and what it marks it would mark behind our back: that is for the caller to know.
            Fault::Dropped(detail) if job == Job::Mark => Err(SourceError::Unanswered { job: name, detail }),
            Fault::Dropped(detail) => {
                failures.dropped += 1;
                tracing::warn!(job = name, attempt = failures.dropped, %detail, "Expensify's answer was lost");
                if failures.dropped >= settings.attempts_when_dropped {
                    return Err(SourceError::Unanswered { job: name, detail });
                }
                Ok(jittered(failures.dropped))
            }
            Fault::NotReady(detail) => {
                failures.not_ready += 1;
                if failures.not_ready >= settings.looks_for_a_file {
                    let detail = format!(
                        "the rendered file did not appear in {} looks: {detail}",
                        failures.not_ready
                    );
                    return Err(SourceError::Unanswered { job: name, detail });
                }
                Ok(limits.scale(not_ready_yet(failures.not_ready)))
            }
            Fault::Unauthorised(detail) => Err(SourceError::Unauthorised { detail }),
            Fault::Refused { code, message } => Err(SourceError::Refused {
                job: name,
                code,
                message,
            }),
            Fault::Unanswered(detail) => Err(SourceError::Unanswered { job: name, detail }),
        }
    }

    /// Sends once and reads the answer, or the beginning of a download.
    async fn attempt(&self, job: Job, form: &Form) -> Result<Brought, Fault> {
        let patience = self.settings.timeout(job);
        let request = self
            .http
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.body());
        let response = match tokio::time::timeout(patience, request.send()).await {
            Err(_) => {
                return Err(Fault::Unanswered(format!(
                    "no answer within {} s; the job may still end there",
                    patience.as_secs()
                )));
            }
            Ok(Err(error)) if error.is_connect() => return Err(Fault::NotConnected(self.clean(error))),
            Ok(Err(error)) => return Err(Fault::Dropped(self.clean(error))),
            Ok(Ok(response)) => response,
        };
        let status = response.status().as_u16();
        if job == Job::Download && response.status().is_success() {
            let lines = Splitter::new(self.chunks(response), self.settings.longest_line, patience);
            return download::open(lines, status, &self.credentials)
                .await
                .map(Brought::Begun);
        }
        let body = self.whole(response, patience).await?;
        classify(job, status, &body, &self.credentials).map(Brought::Whole)
    }

    fn chunks(&self, response: Response) -> Chunks {
        let credentials = Arc::clone(&self.credentials);
        response
            .bytes_stream()
            .map_err(move |error| credentials.redact(&words(error)))
            .boxed()
    }

    /// A body that is not a download: read whole, within reason.
    async fn whole(&self, response: Response, patience: Duration) -> Result<Vec<u8>, Fault> {
        let mut chunks = self.chunks(response);
        let mut body = Vec::new();
        loop {
            match tokio::time::timeout(patience, chunks.next()).await {
                Err(_) => {
                    return Err(Fault::Unanswered(format!(
                        "the answer stopped for {} s",
                        patience.as_secs()
                    )));
                }
                Ok(None) => return Ok(body),
                Ok(Some(Err(why))) => return Err(Fault::Dropped(format!("the answer broke off: {why}"))),
                Ok(Some(Ok(chunk))) => body.extend_from_slice(&chunk),
            }
            if body.len() > self.settings.longest_line {
                return Err(Fault::Unanswered(format!(
                    "the answer is longer than {} bytes",
                    self.settings.longest_line
                )));
            }
        }
    }

    fn clean(&self, error: reqwest::Error) -> String {
        self.credentials.redact(&words(error))
    }

    fn misshapen(&self, job: Job, why: &str) -> SourceError {
        SourceError::Unanswered {
            job: job.name(),
            detail: self.credentials.redact(why),
        }
    }

    fn count(&self, job: Job, again: bool) {
        let mut calls = self.calls();
        let kind = match job {
            _ if again => &mut calls.retries,
            Job::Export => &mut calls.exports,
            Job::Mark => &mut calls.marks,
            Job::Download => &mut calls.downloads,
            Job::PolicyList | Job::Policy => &mut calls.policies,
        };
        *kind += 1;
    }

    fn calls(&self) -> MutexGuard<'_, SourceCalls> {
        // Counters are right whatever another thread was doing when it died.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_sent(detail: String) -> SourceError {
    SourceError::NotSent { detail }
}

/// An error and its causes, without the address.
fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        words.push_str(": ");
        words.push_str(&deeper.to_string());
        cause = deeper.source();
    }
    words
}
