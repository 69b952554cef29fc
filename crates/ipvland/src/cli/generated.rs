//! What is made from the command line's own description, so that it is never behind: completions and manual pages.

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result};
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::arguments::Arguments;
use super::output::write;

/// The manual's section of commands for administrators.
const SECTION: &str = "8";

/// Prints the completions for a shell.
pub(crate) fn completions(shell: Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "ipvland", &mut script);
    write(&String::from_utf8(script).context("completions are text")?)
}

/// Writes a manual page for each command into a folder.
pub(crate) fn manual(folder: &Path) -> Result<()> {
    let mut ipvland = Arguments::command().disable_help_subcommand(true);
    ipvland.build();
    pages(&ipvland, folder).with_context(|| format!("the manual cannot be written to {}", folder.display()))
}

fn pages(command: &Command, folder: &Path) -> io::Result<()> {
    let source = concat!("ipvland ", env!("CARGO_PKG_VERSION"));
    let page = Man::new(command.clone()).section(SECTION).source(source);
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    if command.has_subcommands() {
        page.render_subcommands_section(&mut text)?;
    }
    closing_sections(command).to_writer(&mut text)?;
    std::fs::File::create(folder.join(page.get_filename()))?.write_all(&text)?;
    command.get_subcommands().filter(|below| !below.is_hide_set()).try_for_each(|below| pages(below, folder))
}

/// What closes the long help: blocks of lines below a title of their own, which a page sets as they are.
fn closing_sections(command: &Command) -> Roff {
    let mut sections = Roff::new();
    let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    for line in help.lines() {
        match line.strip_suffix(':').filter(|title| !title.starts_with(' ')) {
            Some(title) => {
                sections.control("fi", []);
                sections.control("SH", [title.to_uppercase().as_str()]);
                sections.control("nf", []);
            }
            None => {
                sections.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
            }
        }
    }
    sections.control("fi", []);
    sections
}
