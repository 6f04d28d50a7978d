<#--
  The export template of Tieout (contract expensify §4): JSON Lines. One line a report, with the number of its expenses
  as the source counts them ("n"), and after the reports of each pass a trailer with their number, so that a file cut
  off at the end of a line is seen to be cut off.

  Every value is a string, so that a blank stays readable; amounts are hundredths as they came. Nothing is decided here:
  which amount counts, and what a blank means, is decided in code.

  Values of any kind survive: missing, blank where a list or an object should be, numbers, booleans and dates where text
  should. Dates are documented as text; a date proper is printed rather than lost.
-->
<#function text v>
  <#if v?is_number || v?is_boolean><#return v?c></#if>
  <#if v?is_string><#return v?json_string></#if>
  <#if v?is_date><#return v?string("yyyy-MM-dd HH:mm:ss")></#if>
  <#return "">
</#function>
<#function of object key>
  <#if object?is_hash><#return text((object[key])!"")></#if>
  <#return "">
</#function>
<#function items v>
  <#if v?is_sequence || v?is_collection><#return v></#if>
  <#return []>
</#function>
<#function names v>
  <#if v?is_hash_ex><#return v?keys></#if>
  <#return []>
</#function>
<#function count v>
  <#if v?is_sequence || v?is_collection><#return v?size?c></#if>
  <#return "">
</#function>
<#list items((reports)!"") as r>
{<#t>
"reportID":"${text((r.reportID)!"")}",<#t>
"oldReportID":"${text((r.oldReportID)!"")}",<#t>
"policyID":"${text((r.policyID)!"")}",<#t>
"policyName":"${text((r.policyName)!"")}",<#t>
"reportName":"${text((r.reportName)!"")}",<#t>
"status":"${text((r.status)!"")}",<#t>
"currency":"${text((r.currency)!"")}",<#t>
"total":"${text((r.total)!"")}",<#t>
"created":"${text((r.created)!"")}",<#t>
"submitted":"${text((r.submitted)!"")}",<#t>
"approved":"${text((r.approved)!"")}",<#t>
"reimbursed":"${text((r.reimbursed)!"")}",<#t>
"isACHReimbursed":"${text((r.isACHReimbursed)!"")}",<#t>
"entryID":"${text((r.entryID)!"")}",<#t>
"accountEmail":"${text((r.accountEmail)!"")}",<#t>
"submitterEmail":"${text((r.submitterEmail)!"")}",<#t>
"submitterFirstName":"${of((r.submitter)!"", "firstName")}",<#t>
"submitterLastName":"${of((r.submitter)!"", "lastName")}",<#t>
"submitterFullName":"${of((r.submitter)!"", "fullName")}",<#t>
"submitterUserID":"${text((r.submitterUserID)!"")}",<#t>
"submitterPayrollID":"${text((r.submitterPayrollID)!"")}",<#t>
"employeeCustomField1":"${text((r.employeeCustomField1)!"")}",<#t>
"employeeCustomField2":"${text((r.employeeCustomField2)!"")}",<#t>
"managerEmail":"${text((r.managerEmail)!"")}",<#t>
"approvers":[<#t>
<#list items((r.approvers)!"") as a>{"email":"${of((a)!"", "email")}","date":"${of((a)!"", "date")}"}<#sep>,</#sep></#list><#t>
],<#t>
"customField":{<#t>
<#list names((r.customField)!"") as k>"${text((k)!"")}":"${of(r.customField, k)}"<#sep>,</#sep></#list><#t>
},<#t>
"n":"${count((r.transactionList)!"")}",<#t>
"lines":[<#t>
<#list items((r.transactionList)!"") as e>
{<#t>
"transactionID":"${text((e.transactionID)!"")}",<#t>
"type":"${text((e.type)!"")}",<#t>
"amount":"${text((e.amount)!"")}",<#t>
"modifiedAmount":"${text((e.modifiedAmount)!"")}",<#t>
"convertedAmount":"${text((e.convertedAmount)!"")}",<#t>
"currency":"${text((e.currency)!"")}",<#t>
"currencyConversionRate":"${text((e.currencyConversionRate)!"")}",<#t>
"created":"${text((e.created)!"")}",<#t>
"modifiedCreated":"${text((e.modifiedCreated)!"")}",<#t>
"merchant":"${text((e.merchant)!"")}",<#t>
"modifiedMerchant":"${text((e.modifiedMerchant)!"")}",<#t>
"comment":"${text((e.comment)!"")}",<#t>
"category":"${text((e.category)!"")}",<#t>
"categoryGlCode":"${text((e.categoryGlCode)!"")}",<#t>
"tag":"${text((e.tag)!"")}",<#t>
"tagGlCode":"${text((e.tagGlCode)!"")}",<#t>
"tags":[<#t>
<#list 1..5 as i>{"name":"${of((e)!"", "ntag" + i?c)}","gl":"${of((e)!"", "ntag" + i?c + "GlCode")}"}<#sep>,</#sep></#list><#t>
],<#t>
"reimbursable":"${text((e.reimbursable)!"")}",<#t>
"billable":"${text((e.billable)!"")}",<#t>
"bank":"${text((e.bank)!"")}",<#t>
"cardID":"${text((e.cardID)!"")}",<#t>
"cardName":"${text((e.cardName)!"")}",<#t>
"cardNumber":"${text((e.cardNumber)!"")}",<#t>
"mcc":"${text((e.mcc)!"")}",<#t>
"modifiedMCC":"${text((e.modifiedMCC)!"")}",<#t>
"hasTax":"${text((e.hasTax)!"")}",<#t>
"taxAmount":"${text((e.taxAmount)!"")}",<#t>
"modifiedTaxAmount":"${text((e.modifiedTaxAmount)!"")}",<#t>
"taxCode":"${text((e.taxCode)!"")}",<#t>
"taxName":"${text((e.taxName)!"")}",<#t>
"taxRateName":"${text((e.taxRateName)!"")}",<#t>
"taxRate":"${text((e.taxRate)!"")}",<#t>
"externalID":"${text((e.externalID)!"")}",<#t>
"receiptID":"${text((e.receiptID)!"")}",<#t>
"receiptFilename":"${text((e.receiptFilename)!"")}",<#t>
"unitsCount":"${of((e.units)!"", "count")}",<#t>
"unitsUnit":"${of((e.units)!"", "unit")}",<#t>
"source":"${of((e.nameValuePairs)!"", "source")}",<#t>
"attendees":[<#t>
<#list items((e.attendees)!"") as p>"${of((p)!"", "email")}"<#sep>,</#sep></#list><#t>
]<#t>
}<#sep>,</#sep><#t>
</#list>
]}
</#list>
{"trailer":{"reports":${count((reports)!"")}}}
